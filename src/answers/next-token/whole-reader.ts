import { modelFeeds } from '../../runtime/feeds.ts';
import type { InferenceModel } from '../../runtime/inference.ts';
import type { TextForm } from '../../data/text/tokenizer/encode.ts';

/** Reads tokens, and answers with logits [vocabulary] of the token behind them. */
export interface TokenReader {
  readonly logits: (ids: readonly number[]) => Float32Array;
  /** Another reader by the same file, which keeps what this one has read. */
  readonly fork: () => TokenReader;
  readonly dispose: () => void;
}

/** Reader by a file that takes whole sequences: all of the last tokens are computed at each call. */
export function wholeReader(model: InferenceModel, { length, padding }: TextForm): TokenReader {
  const output = model.outputs[0]!.name;
  const reader: TokenReader = {
    logits: (given) => {
      const ids = given.slice(-length);
      const x = new Float32Array(length).fill(padding);
      x.set(ids);
      const logits = model.runNow(modelFeeds(model, x, [1, length], undefined), [output])[output]!;
      const tokens = logits.data.length / length;
      return (logits.data as Float32Array).slice((ids.length - 1) * tokens, ids.length * tokens);
    },
    fork: () => reader,
    dispose: () => model.dispose(),
  };
  return reader;
}
