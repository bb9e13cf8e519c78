import type { OrtModule } from '../../src/convert.ts';
import { ortTensor, OnnxSession } from '../../src/runtime/onnxruntime/session.ts';
import type { Tensor } from '../../src/runtime/onnxruntime/session.ts';

/** The interface of onnxruntime-node over our own sessions: its own `run`, which answers from another thread, crashes inside of jest's sandbox. */
export const ort: OrtModule = {
  Tensor: class {
    readonly type: string;
    readonly data: unknown;
    readonly dims: readonly number[];
    constructor(type: string, data: unknown, dims: readonly number[]) {
      [this.type, this.data, this.dims] = [type, data, dims];
    }
  },
  InferenceSession: {
    create: (model, options) => {
      const session = new OnnxSession(model, options as object);
      const outputNames = session.outputs.map(({ name }) => name);
      return Promise.resolve({
        inputNames: session.inputs.map(({ name }) => name),
        outputNames,
        run: (feeds: Readonly<Record<string, Tensor>>) => {
          const given = Object.entries(feeds).map(([name, one]) => {
            return [name, ortTensor(one.type as never, one.data as never, one.dims)] as const;
          });
          const wanted = Object.fromEntries(outputNames.map((name) => [name, null]));
          return Promise.resolve(session.run(Object.fromEntries(given), wanted));
        },
        release: () => {
          session.dispose();
          return Promise.resolve();
        },
      });
    },
  },
};
