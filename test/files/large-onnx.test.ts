import { existsSync, readFileSync, readdirSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { sha256 } from '../../src/base/bytes.ts';
import { sizedContent, readOnnx, writeModel } from '../../src/files/onnx-file.ts';
import { inOnePiece, LargeOnnx, ONNX_LIMIT } from '../../src/formats/onnx/large.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { contentBytes, decodeModel, encodeModel, onnxContent } from '../../src/formats/onnx/protobuf.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { InferenceModel } from '../../src/runtime/inference.ts';
import { convertFile } from '../../src/ship/convert.ts';
import { temporaryFolder } from '../support/folder.ts';
import { numbers } from '../support/graphs.ts';

const folder = temporaryFolder();
const file = (): string => path.join(folder(), 'm.onnx');
const whole = ONNX_LIMIT.bytes;

beforeEach(() => (ONNX_LIMIT.bytes = 2 ** 17));
afterEach(() => (ONNX_LIMIT.bytes = whole));

/** Two dense layers of 130 × 130, whose values do not end at a page, and a small one. */
function model() {
  const b = new GraphBuilder();
  let x = b.input('x', { dtype: 'float32', shape: ['batch', 130] });
  for (const [i, width] of [130, 130, 3].entries()) {
    const w = b.constant({ dtype: 'float32', shape: [130, width] }, numbers(130 * width, `w${i}`));
    x = b.op('BatchMatMul', [x, w], { transposeA: false, transposeB: false });
  }
  b.output('y', x);
  return lowerToOnnx(b.build());
}

const answersOf = async (content: ConstructorParameters<typeof InferenceModel>[0]): Promise<unknown> => {
  const session = new InferenceModel(content, 'm.onnx', { logSeverityLevel: 4 });
  const { y } = await session.run({ x: { data: numbers(260, 'x'), shape: [2, 130] } }).finally(() => session.dispose());
  return y!.data;
};

async function written(): Promise<LargeOnnx> {
  await writeModel(file(), onnxContent(model()));
  return (await readOnnx(file())) as LargeOnnx;
}

describe('an ONNX model above the limit of a file', () => {
  it('gives the same answers from memory, from its path and from one piece', async () => {
    const expected = await answersOf(await unlimited(() => encodeModel(model())));
    const large = onnxContent(model());
    expect(large).toBeInstanceOf(LargeOnnx);
    expect(await answersOf(large)).toEqual(expected);
    const read = await written();
    expect(read).toMatchObject({ path: file() });
    expect(await answersOf(file())).toEqual(expected);
    expect(await answersOf(read)).toEqual(expected);
    expect(await answersOf(new LargeOnnx(read.model, read.length))).toEqual(expected);
  });

  it('is two files, with values at the beginnings of pages, and their sizes are known before they are written', async () => {
    const large = sizedContent('m.onnx', onnxContent(model()));
    expect(await writeModel(file(), large)).toBe(large.length);
    const [head, data] = ['m.onnx', 'm.onnx.data'].map((name) => readFileSync(path.join(folder(), name)));
    expect(readdirSync(folder()).sort()).toEqual(['m.onnx', 'm.onnx.data']);
    expect(head!.length + data!.length).toBe(large.length);
    // 67,600 bytes of the first layer take 17 pages.
    expect(data).toHaveLength(17 * 4096 + 67_600);
    expect(head!.includes('69632')).toBe(true);
    expect(data!.subarray(67_600, 17 * 4096).every((byte) => byte === 0)).toBe(true);
  });

  it('has the same hash in memory and in files of any name, and another with another weight', async () => {
    const hash = sha256(contentBytes(onnxContent(model())));
    expect(sha256(contentBytes(await written()))).toBe(hash);
    const { graph, ...rest } = model();
    const [w, ...others] = graph.initializers;
    const raw = w!.raw.slice();
    raw[5]! ^= 1;
    const other = { ...rest, graph: { ...graph, initializers: [{ ...w!, raw }, ...others] } };
    expect(sha256(contentBytes(onnxContent(other)))).not.toBe(hash);
  });

  it('is in one piece where one file may hold it', async () => {
    await written();
    const read = await unlimited(() => readOnnx(file()));
    expect(read).toEqual(await unlimited(() => encodeModel(model())));
  });

  it('is converted to one like it, and to a smaller one in a single file', async () => {
    await written();
    const out = (name: string): string => path.join(folder(), name);
    expect(await convertFile({ from: file(), out: out('copy.onnx') })).toMatchObject({ largestError: 0 });
    expect(existsSync(out('copy.onnx.data'))).toBe(true);
    expect(await answersOf(out('copy.onnx'))).toEqual(await answersOf(file()));
    await convertFile({ from: file(), out: out('half.onnx'), precision: 'fp16' });
    expect(existsSync(out('half.onnx.data'))).toBe(false);
  });

  it('is refused where its weights end early, also after it was opened', async () => {
    const { model: opened } = await written();
    truncateSync(`${file()}.data`, 1000);
    expect(() => opened.graph.initializers[0]!.raw).toThrow(
      /m\.onnx\.data: ends at byte 1000, where it had weights when it was opened/,
    );
    await expect(readOnnx(file())).rejects.toThrow(/tensor .* is not in m\.onnx\.data, which has 1000 bytes/);
  });

  it('is refused by name where one file is needed, and no single file of it is encoded', async () => {
    const large = await written();
    expect(() => inOnePiece(large, 'm.onnx', 'a kit')).toThrow(
      /m\.onnx: takes 0 MB, and a kit takes models of one file, which has at most 0 MB/,
    );
    expect(() => encodeModel(decodeModel(large, 'm.onnx'))).toThrow(/the ONNX file would take 0 MB, expected at most/);
  });
});

/** With the limit of real files. */
async function unlimited<T>(work: () => T | Promise<T>): Promise<T> {
  ONNX_LIMIT.bytes = whole;
  try {
    return await work();
  } finally {
    ONNX_LIMIT.bytes = 2 ** 17;
  }
}
