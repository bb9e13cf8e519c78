/** Number of the day, which `.ci/run` sets and prints: of many like cases each day tests a part, and some days one after another test all. */
const DAY = process.env['LIMBECK_DAY'];

/** `count` cases that follow those of the day before; all of them where no day is set. */
export function ofToday<T>(all: readonly T[], count: number): readonly T[] {
  if (DAY === undefined) return all;
  return Array.from({ length: count }, (_, i) => all[(Number(DAY) * count + i) % all.length]!);
}
