import { describe, expect, it } from 'vitest';
import { createDocumentParser } from '../../../src/parse/document-parser.ts';
import { parseBytes } from '../../support/parse.ts';
import { encodeAs } from '../../support/text-fixtures.ts';

const parser = createDocumentParser({});
const read = (filename: string, text: string | Uint8Array) => parseBytes(parser, Buffer.from(text as string), { filename });

/** As writers fold them: 75 bytes a line, the next begins with a blank. */
function folded(line: string): string {
  const pieces = line.match(/[^]{1,60}/gu) ?? [];
  return pieces.join('\r\n ');
}

function calendarOf(...entries: readonly (readonly string[])[]): string {
  const lines = entries.flatMap(([kind = '', ...facts]) => [`BEGIN:${kind}`, ...facts, `END:${kind}`]);
  return ['BEGIN:VCALENDAR', 'VERSION:2.0', 'X-WR-CALNAME:Team', ...lines, 'END:VCALENDAR', ''].map(folded).join('\r\n');
}

describe('a calendar', () => {
  it('gives each event and task under its summary, with when, where, who and what', async () => {
    const text = calendarOf(
      [
        'VEVENT',
        'SUMMARY:Budget review\\, final',
        'DTSTART;TZID=Europe/Berlin:20260314T150000',
        'DTEND:20260314T160000Z',
        'LOCATION:Room 4',
        'ORGANIZER;CN="Lee, Ann":mailto:ann@example.org',
        'ATTENDEE;ROLE=REQ-PARTICIPANT;CN=李雷:mailto:li@example.org',
        'ATTENDEE:mailto:bob@example.org',
        'RRULE:FREQ=WEEKLY;COUNT=4',
        'DESCRIPTION:Bring the figures of the last quarter and the plan of the next one.\\n\\n请带上预算表。',
        'BEGIN:VALARM',
        'DESCRIPTION:Reminder',
        'END:VALARM',
      ],
      ['VTODO', 'SUMMARY:预算', 'DUE;VALUE=DATE:20260401', 'STATUS:NEEDS-ACTION'],
    );
    const parsed = await read('team.ics', text);

    expect(parsed).toMatchObject({ format: 'calendar', mediaType: 'text/calendar', title: 'Team' });
    expect(parsed.markdown).toBe(
      [
        '# Budget review, final',
        '- Begins: 2026-03-14 15:00 (Europe/Berlin)\n- Ends: 2026-03-14 16:00 UTC\n- Repeats: FREQ=WEEKLY;COUNT=4\n- Location: Room 4\n' +
          '- Organizer: Lee, Ann (ann@example.org)\n- Attendees: 李雷 (li@example.org), bob@example.org',
        'Bring the figures of the last quarter and the plan of the next one.',
        '请带上预算表。',
        '# 预算',
        '- Due: 2026-04-01\n- Status: NEEDS-ACTION',
      ].join('\n\n'),
    );
  });

  it('is one whatever its name is, and gives what there is of one that breaks off', async () => {
    expect((await read('noname', 'BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Cut\nLOCATION:He')).markdown).toBe(
      '# Cut\n\n- Location: He',
    );
  });
});

describe('contacts', () => {
  it('give each person under the name, with what is known', async () => {
    const text =
      'BEGIN:VCARD\r\nVERSION:3.0\r\nN:Lee;Ann;;Dr.;\r\nFN:Ann Lee\r\nORG:Example Ltd;Sales\r\nitem1.TEL;TYPE=CELL,PREF:+49 1\r\nEMAIL;TYPE=INTERNET:ann@example.org\r\n' +
      'ADR;TYPE=WORK:;;Main St 1\\, rear;Berlin;;10115;Germany\r\nPHOTO;ENCODING=b:AAAA\r\nNOTE:Prefers mail\\; never call\r\nEND:VCARD\r\n' +
      'BEGIN:VCARD\r\nVERSION:4.0\r\nN:张;三;;;\r\nTEL;VALUE=uri:tel:+86-10\r\nEND:VCARD\r\n';

    expect((await read('all.vcf', text)).markdown).toBe(
      [
        '# Ann Lee',
        '- Organization: Example Ltd, Sales\n- Phone (cell): +49 1\n- Email: ann@example.org\n- Address (work): Main St 1, rear, Berlin, 10115, Germany',
        'Prefers mail; never call',
        '# 张三',
        '- Phone: +86-10',
      ].join('\n\n'),
    );
  });

  it.each([
    ['UTF-8', 'utf-8'],
    ['GBK', 'gbk'],
  ])('of old phones are decoded: quoted-printable in %s, over several lines', async (charset, encoding) => {
    const bytes = encoding === 'utf-8' ? Buffer.from('张三丰') : encodeAs('张三丰', encoding);
    const quoted = Array.from(bytes, (byte) => `=${byte.toString(16).padStart(2, '0').toUpperCase()}`);
    const value = `${quoted.slice(0, 3).join('')}=\r\n${quoted.slice(3).join('')}`;
    const text = `BEGIN:VCARD\r\nVERSION:2.1\r\nFN;CHARSET=${charset};ENCODING=QUOTED-PRINTABLE:${value}\r\nTEL;HOME;VOICE:12\r\nEND:VCARD\r\n`;

    expect((await read('phone.vcf', text)).markdown).toBe('# 张三丰\n\n- Phone (home): 12');
  });
});
