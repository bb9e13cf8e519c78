import type { Dim } from '../../../../graph/types.ts';
import { attr } from '../attrs.ts';
import type { Import, Importer } from '../context.ts';
import { side } from './norm.ts';

/** A value with a letter for each of its axes. */
interface Lettered {
  readonly value: string;
  readonly letters: readonly string[];
}

/** https://onnx.ai/onnx/operators/onnx__Einsum.html, as matrix products of two operands at a time. */
const einsum: Importer = (node, c) => {
  const equation = (attr(node, c, 'equation', 'string') ?? c.fail('it names no equation')).replaceAll(' ', '');
  const [left, right] = equation.split('->') as [string, string?];
  const terms = left.split(',');
  if (terms.length !== node.inputs.length) c.fail(`its equation ${equation} is not of ${node.inputs.length} operands`);
  const operands = node.inputs.map((name, i): Lettered => {
    const letters = lettersOf(c, terms[i]!, c.shapeOf(name).length);
    if (new Set(letters).size !== letters.length) c.fail(`its equation ${equation} takes a diagonal`);
    return { value: c.plain(name), letters };
  });
  const all = operands.flatMap(({ letters }) => letters);
  const alone = [...new Set(all)].filter((letter) => all.indexOf(letter) === all.lastIndexOf(letter)).sort();
  const dots = [...new Set(all)]
    .filter((letter) => letter.startsWith('.'))
    .sort()
    .reverse();
  const once = alone.filter((letter) => !letter.startsWith('.'));
  const wanted =
    right === undefined ? [...dots, ...once] : lettersOf(c, right, right.replace('...', '').length + dots.length);
  const sizes = sizesOf(c, operands, equation);
  const result = operands
    .slice(1)
    .reduce((a, b, i) => product(c, a, b, sizes, needed(operands.slice(i + 2), wanted)), operands[0]!);
  const { value, letters } = summed(c, result, new Set(wanted));
  c.define(node.outputs[0]!, { plain: moved(c, value, letters, wanted) });
};

/** An ellipsis stands for axes without a letter: `.0` is the last, `.1` the one before. */
function lettersOf(c: Import, term: string, rank: number): string[] {
  const [before, after] = term.split('...').map((part) => Array.from(part)) as [string[], string[]?];
  const others = rank - before.length - (after?.length ?? 0);
  if (others < 0 || (after === undefined && others > 0)) c.fail(`its term ${term} does not fit ${rank} axes`);
  return [...before, ...Array.from({ length: others }, (_, i) => `.${others - 1 - i}`), ...(after ?? [])];
}

function needed(later: readonly Lettered[], wanted: readonly string[]): Set<string> {
  return new Set([...wanted, ...later.flatMap(({ letters }) => letters)]);
}

function sizesOf(c: Import, operands: readonly Lettered[], equation: string): Map<string, Dim> {
  const sizes = new Map<string, Dim>();
  for (const { value, letters } of operands) {
    letters.forEach((letter, i) => {
      const size = c.builder.typeOf(value).shape[i]!;
      if ((sizes.get(letter) ?? size) !== size)
        c.fail(`in its equation ${equation}, ${letter} is ${sizes.get(letter)!} and ${size}`);
      sizes.set(letter, size);
    });
  }
  return sizes;
}

/** Sums an operand over the axes that are not kept. */
function summed(c: Import, { value, letters }: Lettered, kept: ReadonlySet<string>): Lettered {
  const axes = letters.flatMap((letter, i) => (kept.has(letter) ? [] : [i]));
  if (axes.length === 0) return { value, letters };
  return { value: c.op('Sum', [value], { axes, keepDims: false }), letters: letters.filter((one) => kept.has(one)) };
}

function moved(c: Import, value: string, from: readonly string[], to: readonly string[]): string {
  if (to.length !== from.length || to.some((letter) => !from.includes(letter)))
    c.fail('its equation gives unknown axes');
  const perm = to.map((letter) => from.indexOf(letter));
  return perm.every((axis, i) => axis === i) ? value : c.op('Transpose', [value], { perm });
}

function product(c: Import, a: Lettered, b: Lettered, sizes: ReadonlyMap<string, Dim>, later: Set<string>): Lettered {
  const left = summed(c, a, new Set([...later, ...b.letters]));
  const right = summed(c, b, new Set([...later, ...a.letters]));
  const shared = left.letters.filter((letter) => right.letters.includes(letter));
  const together = shared.filter((letter) => later.has(letter));
  const inner = shared.filter((letter) => !later.has(letter));
  const rows = left.letters.filter((letter) => !shared.includes(letter));
  const columns = right.letters.filter((letter) => !shared.includes(letter));
  const dims = (letters: readonly string[]): Dim[] => letters.map((letter) => sizes.get(letter)!);
  const matrix = ({ value, letters }: Lettered, first: readonly string[], second: readonly string[]): string => {
    const lying = moved(c, value, letters, [...together, ...first, ...second]);
    return c.op('Reshape', [lying], { shape: [...dims(together), side(dims(first)), side(dims(second))] });
  };
  const operands = [matrix(left, rows, inner), matrix(right, inner, columns)];
  const y = c.op('BatchMatMul', operands, { transposeA: false, transposeB: false });
  const letters = [...together, ...rows, ...columns];
  return { value: c.op('Reshape', [y], { shape: dims(letters) }), letters };
}

export const einsumImporters: Readonly<Record<string, Importer>> = { Einsum: einsum };
