import { streamOf } from '../../../src/streams/graph/stream.ts';
import { useCpu } from '../../support/cpu.ts';
import * as nets from '../../support/streams.ts';

beforeAll(useCpu);

const BATCH = 100;

it('answers each hop of 100 sequences as the window that ends with it: a table of ten nets', async () => {
  const rows: Record<string, unknown>[] = [];
  for (const name of nets.STREAM_NETS) {
    const graph = nets.streamNet(name);
    const stream = streamOf(graph);
    const inTfjs = await nets.besideWindows(graph, stream, BATCH, nets.interpreted(stream, BATCH));
    const inOrt = await nets.besideWindows(graph, stream, BATCH, nets.inOnnxRuntime(stream, BATCH));
    rows.push({ name, hops: inOrt.hops, interpreter: inTfjs.error, onnxruntime: inOrt.error });
    expect(Math.max(inTfjs.error, inOrt.error)).toBeLessThan(1e-5);
  }
  process.stdout.write(`${rows.map((row) => JSON.stringify(row)).join('\n')}\n`);
});
