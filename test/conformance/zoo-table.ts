import type { Found, Kind, Made } from './zoo.ts';

/** Of each file that was made, beside the source on the same samples: the output that fares worst. */
export interface Measured {
  readonly name: string;
  readonly found: Partial<Record<Kind, { readonly output: string; readonly sqnr: number; readonly error: number }>>;
  /** Outputs of the source that are the same for all samples: nothing can be wrong with them. */
  readonly still: readonly string[];
}

const HEAD = ['file', 'written by', 'ONNX fp32', 'ONNX int8', 'TFLite fp32', 'TFLite int8', "ORT's int8"];

/** In Markdown, † at what only --accept writes: signal to noise in dB, for TFLite in float32 the largest error as a share of the output's range; then the refusals. */
export function table(found: readonly Found[], made: readonly Made[], measured: ReadonlyMap<string, Measured>): string {
  const rows = found.map(({ name, source }, i) => {
    const { refusals, accepted } = made[i]!;
    const cell = (kind: Kind): string => {
      const one = measured.get(name)!.found[kind];
      if (one === undefined)
        return refusals['fp32.onnx'] !== undefined || refusals[kind] !== undefined ? 'refused' : '—';
      return kind === 'fp32.tflite'
        ? one.error.toExponential(1)
        : decibels(one.sqnr) + (accepted.includes(kind) ? ' †' : '');
    };
    const kinds: Kind[] = ['fp32.onnx', 'int8.onnx', 'fp32.tflite', 'int8.tflite'];
    return [
      name,
      source,
      ...kinds.map(cell),
      measured.get(name)!.found['ort.onnx'] === undefined ? '—' : cell('ort.onnx'),
    ];
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
