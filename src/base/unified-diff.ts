/** Number of unchanged lines around a change. */
const AROUND = 3;

interface Line {
  readonly sign: ' ' | '-' | '+';
  readonly text: string;
}

/** Changes between two texts in the unified format of `diff -u`, a line each; none for equal texts. Memory grows with the product of their lines. */
export function unifiedDiff(before: string, after: string, file: string): string[] {
  if (before === after) return [];
  const lines = aligned(linesOf(before), linesOf(after));
  const isNear = lines.map((_, i) =>
    lines.slice(Math.max(0, i - AROUND), i + AROUND + 1).some(({ sign }) => sign !== ' '),
  );
  const out = [`--- ${file}`, `+++ ${file}`];
  const at = { old: 1, new: 1 };
  for (let i = 0; i < lines.length; i++) {
    if (isNear[i] === true && isNear[i - 1] !== true) {
      const end = isNear.indexOf(false, i);
      const hunk = lines.slice(i, end < 0 ? lines.length : end);
      const [old, now] = ['+', '-'].map((sign) => hunk.filter((line) => line.sign !== sign).length) as [number, number];
      out.push(`@@ -${at.old},${old} +${at.new},${now} @@`);
    }
    const { sign, text } = lines[i]!;
    if (isNear[i] === true) out.push(`${sign}${text}`);
    if (sign !== '+') at.old++;
    if (sign !== '-') at.new++;
  }
  return out;
}

function linesOf(text: string): string[] {
  return text.replace(/\r?\n$/, '').split(/\r?\n/);
}

/** The longest common subsequence of two lists of lines, with the others as removed and added. */
function aligned(a: readonly string[], b: readonly string[]): Line[] {
  const common = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      common[i]![j] = a[i] === b[j] ? common[i + 1]![j + 1]! + 1 : Math.max(common[i + 1]![j]!, common[i]![j + 1]!);
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ sign: ' ', text: a[i]! });
      i++;
      j++;
    } else if (i < a.length && (j === b.length || common[i + 1]![j]! >= common[i]![j + 1]!))
      lines.push({ sign: '-', text: a[i++]! });
    else lines.push({ sign: '+', text: b[j++]! });
  }
  return lines;
}
