import type { OnProgress } from '../../base/progress.ts';
import type { ModelNetwork } from '../../networks/network.ts';
import { accuracyScore, gainOf } from '../../tasks/score.ts';
import type { Score } from '../../tasks/score.ts';
import type { State } from '../../runtime/engine.ts';
import { roundedChannels } from './budget.ts';
import { dependencies } from './groups.ts';
import { scoreChannels } from './importance.ts';
import type { Importance, MeasuredImportance } from './importance.ts';
import { cut, storedBy } from './prune.ts';

export interface SensitivityOptions {
  /** Shares of a layer's channels to remove. Default a quarter, a half, three quarters. */
  readonly amounts?: readonly number[];
  readonly multipleOf?: number;
  readonly importance?: Exclude<Importance, MeasuredImportance>;
  readonly score?: Pick<Score, 'better'>;
  /** Score of a model on samples of the caller's choice. */
  readonly evaluate: (network: ModelNetwork, weights: State) => Promise<number>;
  readonly onProgress?: OnProgress;
}

export interface SensitivityRow {
  readonly layers: readonly string[];
  readonly channels: number;
  readonly kept: number;
  readonly score: number;
  /** Loss of score against the model before. */
  readonly drop: number;
}

/** Score of the model with one layer pruned and no training afterwards: one row for each layer and amount. */
export async function sensitivity(
  network: ModelNetwork,
  weights: State,
  {
    amounts = [0.25, 0.5, 0.75],
    multipleOf = 8,
    importance = 'l2',
    score = accuracyScore,
    evaluate,
    onProgress,
  }: SensitivityOptions,
): Promise<SensitivityRow[]> {
  const found = dependencies(network);
  const scores = found.groups.map((group) => scoreChannels(group, storedBy(found, weights), importance).scores);
  const whole = await evaluate(network, weights);
  const rows: SensitivityRow[] = [];
  const plan = found.groups.map(({ channels }) => {
    const counts = new Set(amounts.map((amount) => roundedChannels(channels, amount, multipleOf)));
    return [...counts].filter((kept) => kept !== channels);
  });
  const total = plan.flat().length;
  for (const [g, { layers, channels }] of found.groups.entries()) {
    for (const kept of plan[g]!) {
      const pruned = await cut(
        network,
        weights,
        found,
        scores,
        found.groups.map((group, i) => (i === g ? kept : group.channels)),
      );
      const after = await evaluate(pruned.network, pruned.weights);
      pruned.network.dispose();
      rows.push({ layers, channels, kept, score: after, drop: gainOf(score, whole, after) });
      onProgress?.('cut', rows.length, total);
    }
  }
  return rows;
}
