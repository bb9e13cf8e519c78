import type { ChannelCuts } from '../types.ts';

export interface ChannelTable {
  /** Models, a column each behind the one of the model before any of them. */
  readonly models: readonly string[];
  readonly rows: readonly { readonly layers: readonly string[]; readonly counts: readonly number[] }[];
  readonly left: readonly { readonly what: string; readonly why: string }[];
}

/** Channels by layer and model, in the order of the model that was cut first. */
export function channelTable(channels: ChannelCuts): ChannelTable {
  const [first] = channels;
  const rows = (first?.rows ?? []).map(({ layers, before }) => {
    const counts = [before];
    for (const { rows: of } of channels)
      counts.push(of.find((row) => row.layers.join() === layers.join())?.after ?? counts.at(-1)!);
    return { layers, counts };
  });
  // Each step says it anew.
  const left = new Map(channels.flatMap((step) => step.left).map((one) => [`${one.what}: ${one.why}`, one]));
  return { models: channels.map(({ model }) => model), rows, left: [...left.values()] };
}
