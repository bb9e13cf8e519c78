import { runPython } from './python.ts';
import type { Found, Kind, Made, Measured } from './zoo.ts';
import { converted, unclear, zooFolder } from './zoo.ts';
import { table } from './zoo-table.ts';

/** The same numbers but for roundings of float32: the error is a thousandth of the answers. */
const SAME_DB = 60;

/** How far an int8 file of ours may be below that of onnxruntime.quantization. */
const MARGIN_DB = 4;

/**
 * Attention, layer norms and GELUs that the file spells out, before 18,710 classes. onnxruntime.quantization leaves their squares,
 * variances, roots, quotients and erf in float32, which an int8 TFLite file has no room for. The export refuses to write this one,
 * unless it is told to accept it.
 */
const FURTHER: Readonly<Record<string, number>> = { 'pp-ocr-v6-rec int8.tflite': 11 };

/** Beyond it the answers are as good as the float ones, and which file has the smaller error says nothing. */
const ENOUGH_DB = 30;

describe('model files that others made, beside ONNX Runtime and onnxruntime.quantization', () => {
  const { folder, close } = zooFolder();
  const measured = new Map<string, Measured>();
  const made: Made[] = [];
  let found: readonly Found[];

  beforeAll(async () => {
    found = runPython('zoo_write.py', folder, ...(process.env['ZOO_ONLY']?.split(',') ?? [])) as Found[];
    for (const one of found) {
      const result = await converted(folder, one);
      made.push(result.made);
      measured.set(one.name, result.measured);
    }
    console.log(table(found, made, measured));
  }, 3_600_000);
  afterAll(close);

  const sqnr = (name: string, kind: Kind): number | undefined => measured.get(name)!.found[kind]?.sqnr;
  const cells = (kinds: readonly Kind[]): (readonly [string, Kind, number])[] =>
    made.flatMap(({ name }) =>
      kinds.flatMap((kind) => {
        const db = sqnr(name, kind);
        return db === undefined ? [] : [[name, kind, db] as const];
      }),
    );

  it('a float32 file answers as its source does in ONNX Runtime, in the official interpreter too', () => {
    expect(cells(['fp32.onnx', 'fp32.tflite']).filter(([, , db]) => !(db >= SAME_DB))).toEqual([]);
  });

  const marginOf = (name: string, kind: Kind): number => FURTHER[`${name} ${kind}`] ?? MARGIN_DB;

  it('an int8 file is as good as that of onnxruntime.quantization on the same samples', () => {
    const worse = cells(['int8.onnx', 'int8.tflite']).filter(
      ([name, kind, db]) => !(db >= Math.min(ENOUGH_DB, (sqnr(name, 'ort.onnx') ?? 0) - marginOf(name, kind))),
    );
    expect(worse).toEqual([]);
  });

  it('the export, which leaves each sample out of a calibration once, promises no more than others measure on them', () => {
    const other = made.flatMap(({ name, said }) =>
      (['int8.onnx', 'int8.tflite'] as const).flatMap((kind) => {
        const [told, seen] = [said[kind], sqnr(name, kind)];
        return told === undefined || told - seen! <= 1 ? [] : [`${name} ${kind}: ${told}, not ${seen}`];
      }),
    );
    expect(other).toEqual([]);
  });

  it('what is refused is refused by node, operator and remedy', () => {
    const reasons = made.flatMap(({ name, refusals }) =>
      Object.values(refusals).flatMap((refusal) => unclear(folder, name, refusal) ?? []),
    );
    expect(reasons).toEqual([]);
  });

  it('these many are read, and answer each sample in its own way', () => {
    expect([...measured.values()].filter(({ still }) => still.length > 0)).toEqual([]);
    expect(found.length).toBeGreaterThanOrEqual(30);
    expect(cells(['fp32.onnx']).length).toBeGreaterThanOrEqual(15);
  });
});
