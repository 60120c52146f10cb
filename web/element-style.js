// @ts-check
/**
 * How the elements look. As a constructed sheet, since pages with a strict policy allow no style in markup.
 */

const STYLE = `
:host {
  --accent: var(--castgate-accent, #0b63ce);
  --accent-text: var(--castgate-accent-text, #fff);
  --surface: var(--castgate-surface, rgb(127 127 127 / .14));
  --line: var(--castgate-line, #7b848e);
  --danger: var(--castgate-danger, #c5221f);
  --radius: var(--castgate-radius, 10px);
  color: var(--castgate-text, inherit);
  container-type: inline-size;
  display: block;
  font: 400 1rem/1.5 system-ui, sans-serif;
}
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; }
button, select, input { color: inherit; font: inherit; margin: 0; }
button { cursor: pointer; }
:disabled { cursor: default; opacity: .45; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
svg { display: block; fill: currentcolor; height: 1.5rem; width: 1.5rem; }

[part=player] { background: #000; border-radius: var(--radius); box-shadow: 0 0 0 1px rgb(127 127 127 / .3); overflow: hidden; }
[part=stage] { aspect-ratio: var(--castgate-ratio, 16 / 9); position: relative; }
video { display: block; height: 100%; object-fit: contain; position: absolute; width: 100%; }
[part=status] {
  background: rgb(0 0 0 / .72); border-radius: 99px; bottom: .75rem; color: #fff; font-size: .9rem; left: .75rem; margin: 0;
  max-width: calc(100% - 1.5rem); padding: .2rem .8rem; position: absolute;
}
[part=status]:empty, [part=status][data-state=live] { clip-path: inset(50%); }
[part=error] {
  background: var(--surface); border-left: 4px solid var(--danger); border-radius: 4px; margin: .75rem 0 0; overflow-wrap: anywhere;
  padding: .6rem .9rem;
}
[part=error] p { margin: .15rem 0 0; }
[part=bar] { align-items: center; background: #16181b; color: #fff; display: flex; flex-wrap: wrap; gap: .25rem; padding: .35rem; }
[part=bar] button { background: none; border: 0; border-radius: 6px; min-height: 2.75rem; min-width: 2.75rem; padding: .5rem .6rem; }
[part=bar] button:focus-visible, [part=stage] button:focus-visible { outline-color: #fff; outline-offset: -3px; }
[part=bar] button:hover:enabled { background: #33383e; }
[part~=primary] { background: var(--accent) !important; color: var(--accent-text); font-weight: 600; padding: .5rem 1.4rem !important; }
[part~=primary][data-active=true] { background: var(--danger) !important; color: #fff; }
.gap { flex: 1; }
[part=volume] { accent-color: #fff; flex: 0 1 7rem; min-width: 3rem; width: 7rem; }
[part=play] {
  background: var(--accent); border: 0; border-radius: 50%; color: var(--accent-text); height: 4.5rem; inset: 0; margin: auto; padding: 1rem;
  position: absolute; width: 4.5rem;
}
[part=play] svg { height: 2.5rem; width: 2.5rem; }
[part=unmute] {
  align-items: center; background: #fff; border: 0; border-radius: 99px; color: #111; display: flex; font-weight: 600; gap: .4rem; left: 50%;
  min-height: 2.75rem; padding: .4rem 1.2rem .4rem .9rem; position: absolute; top: 1rem; transform: translateX(-50%);
}
[part=badge] {
  background: var(--danger); border-radius: 4px; color: #fff; font-size: .8rem; font-weight: 700; left: .75rem; letter-spacing: .04em;
  padding: .1rem .5rem; position: absolute; text-transform: uppercase; top: .75rem;
}
[part=stats] { display: grid; font-size: .875rem; gap: .4rem 1rem; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); margin: .75rem 0 0; }
[part=stats] dt { opacity: .75; }
[part=stats] dd { font-variant-numeric: tabular-nums; margin: 0; }
[part=form] { display: grid; gap: .75rem 1rem; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); margin: 1rem 0 0; }
@container (min-width: 46rem) {
  [part=layout] { align-items: start; display: grid; gap: 1.5rem; grid-template-columns: minmax(0, 1fr) 14rem; }
  [part=layout] [part=form] { grid-template-columns: 1fr; margin: 0; }
}
[part=field] { display: block; }
[part=field] span { display: block; font-size: .875rem; font-weight: 600; margin-bottom: .15rem; }
select {
  background: var(--castgate-field, Field); border: 1px solid var(--line); border-radius: 6px; min-height: 2.75rem; padding: .3rem .6rem; width: 100%;
}
`;

/** @type {CSSStyleSheet | undefined} */
let sheet;

/** One for all elements of the page. */
export function elementStyle() {
  if (sheet === undefined) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
  }
  return sheet;
}
