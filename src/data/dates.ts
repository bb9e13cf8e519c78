/** Numbers that a model reads of a date, in UTC: days since 1970-01-01, month 1 to 12, day 1 to 31, weekday 0 (Monday) to 6, hour with its fraction. */
export const DATE_PARTS = ['days', 'month', 'day', 'weekday', 'hour'] as const;

export type DatePart = (typeof DATE_PARTS)[number];

const [HOUR, DAY] = [3_600_000, 86_400_000];
/** Number of days up to which float32 represents every integer. */
const MOST_DAYS = 2 ** 24;
/** ISO 8601 as programs write it: a day, or a day and a time, with or without a zone. */
const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(?:Z|([+-])(\d\d)(?::?(\d\d))?)?)?$/;

/** Milliseconds since 1970-01-01 in UTC, as which a text without a zone is read; NaN for an impossible date, undefined for a value of another form. */
export function timeOfDate(value: unknown): number | undefined {
  if (value instanceof Date) return Math.abs(value.getTime()) < MOST_DAYS * DAY ? value.getTime() : NaN;
  const found = typeof value === 'string' ? ISO.exec(value.trim()) : null;
  if (found === null) return undefined;
  const [
    ,
    year,
    month,
    day,
    hour = '0',
    minute = '0',
    second = '0',
    fraction = '',
    sign,
    zoneHour = '0',
    zoneMinute = '0',
  ] = found;
  const start = Date.parse(`${year}-${month}-${day}T00:00:00Z`);
  // Engines differ in 2023-02-30: NaN, or March 2.
  const isDay = new Date(start).getUTCDate() === Number(day);
  if (!isDay || [hour, zoneHour].some((text) => Number(text) > 23)) return NaN;
  if ([minute, second, zoneMinute].some((text) => Number(text) > 59)) return NaN;
  const [time, zone] = [
    [hour, minute],
    [zoneHour, zoneMinute],
  ].map(([h, m]) => (Number(h) * 60 + Number(m)) * 60_000);
  const east = sign === '-' ? -zone! : zone!;
  return start + time! - east + Number(second) * 1000 + Number(fraction.padEnd(3, '0').slice(0, 3));
}

/** Parts of dates in milliseconds; the hour only where one of them has a time of day. */
export function partsOfDates(times: readonly number[]): readonly DatePart[] {
  return DATE_PARTS.filter((part) => part !== 'hour' || times.some(hasHour));
}

export function hasHour(time: number): boolean {
  return !Number.isNaN(time) && time % DAY !== 0;
}

/** The parts of a date as float32 numbers, the same for training, server and kits. `time`: see `timeOfDate`. */
export function numbersOfDate(time: number, parts: readonly DatePart[]): number[] {
  const date = new Date(time);
  const days = Math.floor(time / DAY);
  const [month, day, weekday] = [date.getUTCMonth() + 1, date.getUTCDate(), (date.getUTCDay() + 6) % 7];
  const numbers = { days, month, day, weekday, hour: (time - days * DAY) / HOUR };
  return parts.map((part) => Math.fround(numbers[part]));
}

/** ISO 8601 of the numbers of a date: `2024-05-01`, or `2024-05-01T10:30` with an hour. */
export function textOfDate(numbers: ArrayLike<number>, parts: readonly string[]): string {
  const [days = 0, hour = 0] = [numbers[parts.indexOf('days')], numbers[parts.indexOf('hour')]];
  // To the minute: float32 keeps hours to some milliseconds.
  const time = Math.floor(days) * DAY + Math.round(hour * 60) * 60_000;
  return new Date(time).toISOString().slice(0, parts.includes('hour') ? 16 : 10);
}
