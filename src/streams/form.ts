import type { StreamForm } from '../convert/streams.ts';
import { streamOf, streamScales } from './graph/stream.ts';
import { statedStream, withHop } from './metadata.ts';
import { storePasts } from './pasts.ts';

export const streamForm: StreamForm = {
  streamGraph: (whole, format) => {
    const stream = streamOf(whole);
    return {
      graph: stream.graph,
      scales: (quantization) => streamScales(stream, quantization),
      metadata: (ofWindows) =>
        new Map([...withHop(ofWindows, stream), ['stream', JSON.stringify(statedStream(stream, format))]]),
    };
  },
  storePasts,
};
