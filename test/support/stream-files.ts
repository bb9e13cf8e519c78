import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inOnePiece } from '../../src/formats/onnx/large.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { onnxContent } from '../../src/formats/onnx/protobuf.ts';
import type { Graph } from '../../src/graph/types.ts';
import { npyBytes } from './npy.ts';
import { sequences } from './streams.ts';

/** Paths of a file of windows and of samples for it. */
export interface StreamSource {
  readonly folder: string;
  readonly from: string;
  readonly data: string;
}

/** Calls `use` with an ONNX file of a graph, and with 200 random windows as it is fed. */
export async function withSource<T>(graph: Graph, use: (source: StreamSource) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), 'streams-'));
  try {
    const [from, data] = [path.join(folder, 'net.onnx'), path.join(folder, 'x.npy')];
    const metadata = new Map([['preprocessing', JSON.stringify({ shape: [12, 4], scale: 1, mean: [0], std: [1] })]]);
    writeFileSync(from, inOnePiece(onnxContent(lowerToOnnx(graph, { metadata })), from, 'ONNX'));
    const x = sequences(graph, 200, graph.inputs.get('x')!.shape[1] as number, 'exported');
    writeFileSync(data, npyBytes(x.shape, (await x.data()) as Float32Array));
    return await use({ folder, from, data });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
