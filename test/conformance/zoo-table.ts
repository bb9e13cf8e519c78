import type { Found, Kind, Made, Measured } from './zoo.ts';
import type { FormResult, Result } from './zoo-training.ts';

const HEAD = ['file', 'written by', 'ONNX fp32', 'ONNX int8', "ORT's", 'TFLite fp32', 'TFLite int8', "LiteRT's"];

/** Files that others make: where there is none, it is not ours that was refused. */
const OTHERS: readonly Kind[] = ['ort.onnx', 'litert.tflite'];

/** In Markdown, † at what only --accept writes: signal to noise in dB, for TFLite in float32 the largest error as a share of the output's range; then the refusals. */
export function table(found: readonly Found[], made: readonly Made[], measured: ReadonlyMap<string, Measured>): string {
  const rows = found.map(({ name, source }, i) => {
    const { refusals, accepted } = made[i]!;
    const cell = (kind: Kind): string => {
      const one = measured.get(name)!.found[kind];
      if (one === undefined && OTHERS.includes(kind)) return '—';
      if (one === undefined)
        return refusals['fp32.onnx'] !== undefined || refusals[kind] !== undefined ? 'refused' : '—';
      return kind === 'fp32.tflite'
        ? one.error.toExponential(1)
        : decibels(one.sqnr) + (accepted.includes(kind) ? ' †' : '');
    };
    const kinds: Kind[] = ['fp32.onnx', 'int8.onnx', 'ort.onnx', 'fp32.tflite', 'int8.tflite', 'litert.tflite'];
    return [name, source, ...kinds.map(cell)];
  });
  const refused = made.flatMap(({ refusals }) =>
    Object.entries(refusals).map(
      ([kind, { message, hint }]) =>
        // What cannot be read cannot be written in any form.
        `${kind === 'fp32.onnx' ? '' : `${kind}: `}${message}. ${hint ?? 'A fault.'}`,
    ),
  );
  const notByLitert = found
    .map(({ name }) => [name, measured.get(name)!.notQuantizedByLitert] as const)
    .filter(([, why]) => why !== '')
    .map(([name, why]) => `${name}, LiteRT's quantizer: ${why}`);
  return [...markdown(HEAD, rows, 2), '', ...refused, '', ...notByLitert].join('\n');
}

function decibels(db: number): string {
  return db > 900 ? 'equal' : db.toFixed(1);
}

/** Nets that are trained, in Markdown: errors beside PyTorch in float64; then their int8 files in dB; then what is refused, and why. */
export function trainingTable(results: readonly Result[]): string {
  const head = ['net', 'exporter', 'weights', 'nearest kink', 'answers', 'gradients', "PyTorch's", 'fixed batch', 'Adam', 'error', "PyTorch's"]; // prettier-ignore
  const rows = results.flatMap(({ name, forms }) => forms.map((one) => trainedRow(name, one)));
  const kinds = ['int8.onnx', 'ort.onnx', 'int8.tflite', 'litert.tflite'] as const;
  const int8 = results.map(({ name, sqnr }) => [
    name,
    ...kinds.map((kind) => (sqnr[kind] === undefined ? '—' : decibels(sqnr[kind]))),
  ]);
  const refused = results.flatMap(({ forms }) => forms.flatMap(({ trained, fixed }) => [trained, fixed]));
  return [
    ...markdown(head, rows, 2),
    '',
    ...markdown(['net', 'ONNX int8', "ORT's", 'TFLite int8', "LiteRT's"], int8, 1),
    '',
    ...refused.filter((one) => typeof one === 'string'),
  ].join('\n');
}

function trainedRow(name: string, { form, answers, trained, fixedAnswers, fixed, adam }: FormResult): string[] {
  const { kink, flipped, float32 } = form;
  const { isSmooth, rate, epsilon } = form.adam;
  const beyond = flipped === 0 ? '' : `, ${flipped} beyond`;
  const gradient = (of: typeof trained): string => (typeof of === 'string' ? 'refused' : short(of.gradient));
  const numbers = [answers, fixedAnswers, typeof trained === 'string' ? 0 : trained.logits];
  return [
    ...[name, form.exporter, typeof trained === 'string' ? '—' : String(trained.weights)],
    ...[
      kink === null ? '—' : short(kink) + beyond,
      short(Math.max(...numbers.filter((one) => typeof one === 'number'))),
    ],
    ...[gradient(trained), short(float32), gradient(fixed)],
    ...[`${isSmooth ? 'smooth, ' : ''}${rate.toExponential()}, ${epsilon.toExponential()}`],
    ...[adam === undefined ? 'refused' : short(adam), short(form.adam.float32)],
  ];
}

export function markdown(head: readonly string[], rows: readonly (readonly string[])[], words: number): string[] {
  return [head, head.map((_, i) => (i < words ? '---' : '--:')), ...rows].map((row) => `| ${row.join(' | ')} |`);
}

export const short = (value: number): string => value.toExponential(1);
