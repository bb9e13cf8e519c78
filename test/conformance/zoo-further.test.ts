import { runPython } from './python.ts';
import type { Found, Kind, Made, Measured } from './zoo.ts';
import { converted, unclear, zooFolder } from './zoo.ts';
import { table } from './zoo-table.ts';

/** The same numbers but for roundings of float32: the error is a thousandth of the answers. */
const SAME_DB = 60;

/** Two roundings of a float32 number near 1: a sigmoid that gives less than that gives nothing but rounding. */
const ROUNDING = 2 ** -22;

/** Below it no file is written without --accept; the samples here are others than those that the export held out. */
const LEAST_DB = 10;
const OTHER_SAMPLES_DB = 2;

/** How far an int8 file of ours may be below that of onnxruntime.quantization, and beyond what neither says anything. */
const MARGIN_DB = 4;
const ENOUGH_DB = 30;

describe('further model files of packages, on samples that calibrated nothing', () => {
  const { folder, close } = zooFolder();
  const measured = new Map<string, Measured>();
  const made: Made[] = [];
  let found: readonly Found[];

  beforeAll(async () => {
    found = runPython('zoo_write.py', folder, ...(process.env['ZOO_ONLY']?.split(',') ?? ['further'])) as Found[];
    for (const one of found) {
      const result = await converted(folder, one);
      made.push(result.made);
      measured.set(one.name, result.measured);
    }
    console.log(table(found, made, measured));
  }, 7_200_000);
  afterAll(close);

  const below = (kinds: readonly Kind[], least: (name: string, kind: Kind) => number): string[] =>
    made.flatMap(({ name }) =>
      kinds.flatMap((kind) => {
        const { sqnr: db, absolute } = measured.get(name)!.found[kind] ?? {};
        const isRight = db === undefined || db >= least(name, kind) || absolute! < ROUNDING;
        return isRight ? [] : [`${name} ${kind}: ${db} dB`];
      }),
    );

  it('float32 files answer as their sources do', () => {
    expect(below(['fp32.onnx', 'fp32.tflite'], () => SAME_DB)).toEqual([]);
  });

  it('int8 files that are written answer as the export says, and as well as those of onnxruntime.quantization', () => {
    const isAccepted = (name: string, kind: Kind): boolean =>
      made.find((one) => one.name === name)!.accepted.includes(kind);
    const kinds = ['int8.onnx', 'int8.tflite'] as const;
    expect(below(kinds, (name, kind) => (isAccepted(name, kind) ? -Infinity : LEAST_DB - OTHER_SAMPLES_DB))).toEqual(
      [],
    );
    expect(
      below(kinds, (name, kind) =>
        isAccepted(name, kind)
          ? -Infinity
          : Math.min(ENOUGH_DB, (measured.get(name)!.found['ort.onnx']?.sqnr ?? 0) - MARGIN_DB),
      ),
    ).toEqual([]);
  });

  it('refusals name the node or the input, and a remedy', () => {
    const reasons = made.flatMap(({ name, refusals }) =>
      Object.values(refusals).flatMap((refusal) => unclear(folder, name, refusal) ?? []),
    );
    expect(reasons).toEqual([]);
  });

  it('these many are read', () => {
    if (process.env['ZOO_ONLY'] === undefined) expect(found.length).toBeGreaterThanOrEqual(30);
  });
});
