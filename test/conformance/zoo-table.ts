import type { Found, Kind, Made, Measured } from './zoo.ts';
import type { Result } from './zoo-training.ts';

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
  const lines = [HEAD, HEAD.map((_, i) => (i < 2 ? '---' : '--:')), ...rows].map((row) => `| ${row.join(' | ')} |`);
  const refused = made.flatMap(({ refusals }) =>
    Object.entries(refusals).map(
      ([kind, { message, hint }]) =>
        // What cannot be read cannot be written in any form.
        `${kind === 'fp32.onnx' ? '' : `${kind}: `}${message}. ${hint ?? 'A fault.'}`,
    ),
  );
  return [...lines, '', ...refused].join('\n');
}

function decibels(db: number): string {
  return db > 900 ? 'equal' : db.toFixed(1);
}

type OfNet = Result['forms'][number];

/** Nets that are trained, in Markdown: errors beside PyTorch in float64, worst of both exporters unless one is named; then int8 files in dB. */
export function trainingTable(results: readonly Result[]): string {
  const beside = ['legacy', 'dynamo', 'fixed batch', 'PyTorch float32'];
  const training = ['net', 'weights', 'kink', 'answers', ...beside.map((one) => `gradients: ${one}`), 'rate', ...beside.map((one) => `Adam: ${one}`)]; // prettier-ignore
  const errors = results.map(({ name, forms }) => {
    const [legacy, dynamo] = forms as [OfNet, OfNet];
    const most = (of: (one: OfNet) => number): string => short(Math.max(...forms.map(of)));
    const kinks = forms.flatMap(({ form }) => form.kink ?? []);
    const columns = (of: (one: Result['forms'][number]['trained']) => number, float32: (one: OfNet) => number): string[] => [
      ...[legacy, dynamo].map(({ trained }) => short(of(trained))),
      forms.some(({ fixedTrained }) => typeof fixedTrained === 'string') ? 'refused' : most(({ fixedTrained }) => of(fixedTrained as OfNet['trained'])),
      most(float32),
    ]; // prettier-ignore
    return [
      ...[name, String(legacy.trained.weights), kinks.length === 0 ? '—' : short(Math.min(...kinks))],
      most(({ open, fixed, trained }) => Math.max(open, fixed, trained.logits)),
      ...columns(({ gradient }) => gradient, ({ form }) => form.float32.gradient),
      forms.map(({ form }) => form.rate.toExponential()).join(', '),
      ...columns(({ adam }) => adam, ({ form }) => form.float32.adam),
    ]; // prettier-ignore
  });
  const kinds = ['int8.onnx', 'ort.onnx', 'int8.tflite', 'litert.tflite'] as const;
  const int8 = results.map(({ name, sqnr }) => [name, ...kinds.map((kind) => (sqnr[kind] === undefined ? '—' : decibels(sqnr[kind])))]); // prettier-ignore
  const refused = results.flatMap(({ forms }) => forms.flatMap(({ fixedTrained }) => typeof fixedTrained === 'string' ? fixedTrained : [])); // prettier-ignore
  return [
    ...markdown(training, errors),
    '',
    ...markdown(['net', 'ONNX int8', "onnxruntime.quantization's", 'TFLite int8', "LiteRT's quantizer's"], int8),
    '',
    ...refused,
  ].join('\n');
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [head, head.map((_, i) => (i === 0 ? '---' : '--:')), ...rows].map((row) => `| ${row.join(' | ')} |`);
}

const short = (value: number): string => value.toExponential(1);
