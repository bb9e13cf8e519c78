import { runPython } from './python.ts';
import type { Found, Kind, Made, Measured } from './zoo.ts';
import { converted, unclear, zooFolder } from './zoo.ts';
import { table } from './zoo-table.ts';

/** The same numbers but for roundings of float32: the error is a thousandth of the answers. */
const SAME_DB = 60;

/** Two roundings of a float32 number near 1: a sigmoid that gives less than that gives nothing but rounding. */
const ROUNDING = 2 ** -22;

/** How far an int8 file that is written without --accept may be below that of onnxruntime.quantization, and beyond what neither says anything. */
const MARGIN_DB = 4;
const ENOUGH_DB = 30;

/** Files that are not read, by what their refusal says. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  'atspm-decode': /ai\.onnx\.ml\.TreeEnsemble is not known/,
  'surrogate-validity': /ai\.onnx\.ml\.TreeEnsembleClassifier is not known/,
  caustic: /its constant \w+ is NaN/,
  'smart-turn': /is quantized already/,
  'tashkeel-bilstm': /is quantized already/,
  'tashkeel-rawi': /is quantized already/,
};

describe('model files as they lie in their packages, with the options that their refusals ask for', () => {
  const { folder, close } = zooFolder();
  const measured = new Map<string, Measured>();
  const made: Made[] = [];
  let found: readonly Found[];

  beforeAll(async () => {
    found = runPython('zoo_write.py', folder, ...(process.env['ZOO_ONLY']?.split(',') ?? ['shipped'])) as Found[];
    for (const one of found) {
      const result = await converted(folder, one);
      made.push(result.made);
      measured.set(one.name, result.measured);
    }
    const asked = made.filter((one) => one.asked.length > 0).map((one) => `${one.name}: ${one.asked.join(' ')}`);
    console.log([table(found, made, measured), '', ...asked].join('\n'));
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

  it('float32 files answer as their sources do, on all outputs', () => {
    expect(below(['fp32.onnx', 'fp32.tflite'], () => SAME_DB)).toEqual([]);
  });

  it('int8 files that are written answer as well as those of onnxruntime.quantization', () => {
    const least = (name: string, kind: Kind): number =>
      made.find((one) => one.name === name)!.accepted.includes(kind)
        ? -Infinity
        : Math.min(ENOUGH_DB, (measured.get(name)!.found['ort.onnx']?.sqnr ?? 0) - MARGIN_DB);
    expect(below(['int8.onnx', 'int8.tflite'], least)).toEqual([]);
  });

  it('a refusal that asks for a size or a value is gone when it is given; others name the node and a remedy', () => {
    const refused = made.filter(({ refusals }) => refusals['fp32.onnx'] !== undefined);
    for (const { name, refusals } of refused)
      expect(refusals['fp32.onnx']!.message).toMatch(REFUSED[name] ?? /^nothing/);
    const reasons = made.flatMap(({ name, refusals }) => Object.values(refusals).flatMap((refusal) => unclear(folder, name, refusal) ?? [])); // prettier-ignore
    expect(reasons).toEqual([]);
  });
});
