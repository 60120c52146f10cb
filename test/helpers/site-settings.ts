/**
 * Settings of an application that a web site controls, by their paths.
 */

export interface SiteAddresses {
  readonly webLogin: string;
  readonly webLogout: string;
  readonly webStatus: string;
}

/** As `--set` takes them, with the shortest interval there is. */
export function siteSettings(
  app: string,
  { webLogin, webLogout, webStatus }: SiteAddresses,
  webKey: string,
): Record<string, string> {
  const at = `applications.${app}`;
  return {
    [`${at}.webLogin`]: webLogin,
    [`${at}.webLogout`]: webLogout,
    [`${at}.webStatus`]: webStatus,
    [`${at}.webStatusInterval`]: '5s',
    [`${at}.webKey`]: webKey,
    [`${at}.webKeyCheck`]: 'require',
  };
}
