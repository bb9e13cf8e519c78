import { DATE_PARTS, numbersOfDate, partsOfDates, textOfDate, timeOfDate } from '../../src/data/dates.ts';

const numbers = (text: string): number[] => numbersOfDate(timeOfDate(text)!, DATE_PARTS);

it.each<[string, readonly number[]]>([
  // Thursday, Monday 0.
  ['1970-01-01', [0, 1, 1, 3, 0]],
  ['1969-12-31', [-1, 12, 31, 2, 0]],
  ['1969-12-31T23:00:00Z', [-1, 12, 31, 2, 23]],
  ['2024-02-29T12:45', [19782, 2, 29, 3, 12.75]],
  ['2000-02-29 06:00:00.500', [11016, 2, 29, 1, Math.fround(6 + 0.5 / 3600)]],
  ['0050-03-01', [-701206, 3, 1, 1, 0]],
  ['2024-05-01 10:30:00+00:00', [19844, 5, 1, 2, 10.5]],
  // The day before, in UTC.
  ['2024-03-01T01:00:00+02:00', [19782, 2, 29, 3, 23]],
  ['2023-12-31T20:15-0430', [19723, 1, 1, 0, 0.75]],
  ['2023-12-31 20:00-05', [19723, 1, 1, 0, 1]],
])('%s is days since 1970-01-01, month, day, weekday and hour in UTC', (text, expected) => {
  expect(numbers(text)).toEqual(expected);
});

it.each(['2023-02-29', '2023-02-30', '2024-13-01', '2024-00-10', '2024-01-00', '2024-01-01T24:00', '2024-01-01T10:60', '2024-01-01T10:30+25:00'])(
  '%s is no date that exists', (text) => expect(timeOfDate(text)).toBeNaN(),
); // prettier-ignore

it.each([
  '01/02/2024',
  '1.2.2024',
  '2024-1-31',
  '2024-01',
  '2024-01-31T10',
  '2024-01-31 10:30 CEST',
  '20240131',
  'May',
  20240131,
])('%s is of another form', (value) => expect(timeOfDate(value)).toBeUndefined());

it('dates of Parquet are taken as far as float32 represents each day', () => {
  expect(timeOfDate(new Date(86_400_000))).toBe(86_400_000);
  for (const value of [new Date(NaN), new Date(2 ** 24 * 86_400_000)]) expect(timeOfDate(value)).toBeNaN();
});

it('the hour is a part where one of the dates has a time, and a date is said with it', () => {
  expect(partsOfDates([0, NaN, 86_400_000])).toEqual(['days', 'month', 'day', 'weekday']);
  expect(partsOfDates([0, 1])).toEqual(DATE_PARTS);
  expect(textOfDate(numbers('2024-02-29T12:45'), DATE_PARTS)).toBe('2024-02-29T12:45');
  expect(textOfDate(numbers('1969-12-31'), partsOfDates([0]))).toBe('1969-12-31');
});
