/**
 * Brings what happens inside a server before all laws.
 */
import type { Clock } from '../../src/base/clock.ts';
import type { Disk } from './disk.ts';
import type { House, HouseWitness } from './house.ts';
import type { LoginLaws } from './login-laws.ts';
import type { PresenceLaws } from './presence-laws.ts';
import type { Record } from './record.ts';
import type { ReportLaws } from './report-laws.ts';

export interface Laws {
  readonly record: Record;
  readonly logins: LoginLaws;
  readonly reports: ReportLaws;
  readonly presence: PresenceLaws;
}

export function witness(laws: Laws, clock: Clock, disk: Disk, house: () => House): HouseWitness {
  const { record, logins, reports, presence } = laws;
  const now = () => clock.now();
  return {
    asked(call) {
      if (call.hook !== 'webStatus') record.trace(`${call.hook} ${call.name} to ${call.site.host}`);
      logins.asked(call);
      reports.asked(call, now());
    },
    acted: (call) => logins.acted(call),
    settled(call, answer) {
      if (!answer.ok) record.trace(`${call.hook} ${call.name} to ${call.site.host}: ${answer.code}`);
      logins.settled(call, answer);
      reports.settled(call, answer, now());
    },
    comes: (admission) => logins.comes(admission, now()),
    judged: (admission, verdict) => logins.judged(admission, verdict, now(), disk.slowAt),
    opened(session, verdict) {
      reports.moved(session, now());
      presence.opened(session);
      logins.opened(session, verdict);
    },
    abandoned: (verdict) => logins.abandoned(verdict),
    left(session) {
      reports.moved(session, now());
      presence.left(session, now());
      logins.left(session);
    },
    logged(level, fields, text) {
      presence.logged(house(), level, fields, text, now());
      const { code, id, app, session, reason } = fields as { [key: string]: string };
      if (code === 'access/disconnected') reports.disconnects(id!, app!, session!, reason!);
    },
    closed: (ip) => presence.closed(ip),
  };
}
