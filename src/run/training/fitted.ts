import type { ModelNetwork, Network } from '../../networks/network.ts';
import { networkParameters } from '../../networks/network.ts';
import type { State } from '../../runtime/engine.ts';
import { MASK_PREFIX } from '../../train/step/step.ts';
import type { Fitted, TrainingResult } from '../../train/training.ts';
import type { StageContext } from '../context.ts';
import type { FitOptions } from './options.ts';
import { PEER_PREFIX } from './peer.ts';

/** Enters a finished training in the ledger, and separates its weights into those of the network, its masks and its peer. */
export async function fittedNetwork<N extends Network = ModelNetwork>(
  context: Pick<StageContext, 'done'>,
  { stage, peer, answers }: Pick<FitOptions, 'stage' | 'peer' | 'answers'>,
  { weights: kept, ...result }: TrainingResult,
  network: N,
): Promise<Fitted<N>> {
  const figures = { score: { validation: result.validation }, params: networkParameters(network) };
  const { bestEpoch, epochs, seconds, dataSeconds = 0, cut } = result;
  answers?.tookFor?.(stage, result.teacherSeconds ?? 0);
  const dataWait = seconds === 0 ? 0 : dataSeconds / seconds;
  await context.done(stage, seconds, figures, { bestEpoch, epochs, dataWait, ...(cut && { microBatch: cut.note }) });
  const prefixes = [MASK_PREFIX, ...(peer === undefined ? [] : [PEER_PREFIX])];
  const under = (prefix: string): State =>
    new Map(
      [...kept].flatMap(([name, value]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), value] as const] : [],
      ),
    );
  const weights = new Map([...kept].filter(([name]) => !prefixes.some((prefix) => name.startsWith(prefix))));
  const masks = under(MASK_PREFIX);
  return { ...result, weights, network, ...(masks.size > 0 && { masks }), ...(peer && { peer: under(PEER_PREFIX) }) };
}
