import { monotonicMs } from '../base/clock.ts';
import type { OnEvent } from '../base/events.ts';
import type { StageClock } from '../base/stage-clock.ts';
import type { LoadedRecipe } from '../recipe/load.ts';
import type { Recipe } from '../recipe/schema.ts';
import { withEpochs } from '../recipe/steps.ts';
import { requireFiles } from '../folder/inputs.ts';
import { factsOf } from '../folder/report/report-frame.ts';
import type { RunStores } from '../folder/states/stores.ts';
import { loadDataToTeach } from '../setup/data.ts';
import { engineOfRun } from '../setup/engine.ts';
import { alone } from '../train/processes.ts';
import type { Processes } from '../train/processes.ts';
import { trafficSince } from '../watch/traffic.ts';
import type { LikeRuns, StageContext } from './context.ts';
import { hashOfState } from './hashes.ts';
import { runInputs, hashOfData } from './inputs.ts';
import type { SharedInputs } from './inputs.ts';
import type { RunOptions } from './options.ts';

export interface FollowOptions extends RunOptions {
  readonly onEvent: OnEvent;
  /** Called before the run writes its first result; before that it has only read and checked the recipe and its files. */
  readonly onWork?: () => Promise<void>;
  /** Folder of another run whose trained teacher and stored answers this run uses and adds to, instead of its own. */
  readonly shared?: string;
  /** True if the run is a shard's part of a recipe. */
  readonly isShard?: boolean;
  /** Runs that the forecast of this run is of; of a shard or a trial there is none without it. */
  readonly likeRuns?: LikeRuns | undefined;
  readonly inputs?: SharedInputs;
  /** Never scores on the test split. */
  readonly withoutTest?: boolean;
  /** Notes for the report, added to the notes of the stages. */
  readonly notes?: readonly string[];
}

/** Opens the engine, loads the data, and enters both in the ledger. */
export async function begin(
  { recipe: asked, written: asWritten }: LoadedRecipe,
  folder: string,
  stores: RunStores,
  options: FollowOptions & { readonly clock: StageClock },
): Promise<StageContext> {
  const { onEvent, onWork, signal, saveEvery = 5, withoutTest, clock, processes = alone } = options;
  // The engine is opened first: a missing library is reported before a large data set is read.
  onEvent({ type: 'stage', stage: 'engine' });
  const engine = await engineOfRun(asked);
  onEvent({ type: 'stage', stage: 'data' });
  const start = monotonicMs();
  const inputs = await runInputs(folder, asked, options);
  await requireFiles(asked);
  await inputs?.checkFiles();
  const whole = await loadDataToTeach(asked, await processes.loading());
  const data = withoutTest === true ? { ...whole, test: undefined } : whole;
  const [recipe, written] = [asked, asWritten].map((one) => withEpochs(one, data.train.count)) as [Recipe, Recipe];
  for (const message of data.warnings) onEvent({ type: 'warning', message });
  const seconds = (monotonicMs() - start) / 1000;
  let before = engine.traffic;
  let isNoted = false;
  // Hashes of files are noted only after the run has passed its checks: until then the user may replace a wrong file.
  const onFirstWork = async (): Promise<void> => {
    if (!isNoted) await inputs?.save();
    isNoted = true;
    await onWork?.();
  };
  const done: StageContext['done'] = async (stage, given, figures = {}, notes = {}) => {
    const traffic = trafficSince(before, engine.traffic);
    before = engine.traffic;
    if (stage !== 'data') await onFirstWork();
    stores.ledger.count(clock.take());
    const took = given ?? stores.ledger.times.get(stage) ?? 0;
    await stores.ledger.add({ stage, seconds: took, figures, notes: { ...notes, ...traffic } });
    const { dataWait } = notes;
    const wait = typeof dataWait === 'number' && { dataWait };
    onEvent({ type: 'done', stage, figures, seconds: took, ...wait, ...traffic });
  };
  const saving = {
    states: counted(stores, clock, { onWork: onFirstWork, processes }),
    saveEveryMs: 1000 * saveEvery,
    done,
  };
  await processes.requireSameData(data);
  inputs?.checkData(hashOfData(whole));
  const isWhole = options.shared === undefined && options.isShard !== true;
  const likeRuns = options.likeRuns ?? (isWhole ? { runs: 1, teachers: 1 } : undefined);
  const { rows, times } = stores.ledger;
  const soFar = { finished: rows.map(({ stage }) => stage), taken: new Map(times) };
  const foretold = likeRuns && { ...likeRuns, ...soFar, since: start };
  const context = { recipe, written, data, engine, onEvent, signal, processes, foretold, ...saving };
  await done('data', seconds, {}, { facts: factsOf(context), recipe: written });
  return context;
}

/** Saved states of stages. Each save also enters the time since the last save in the ledger, so a killed run loses only the time of lost work. */
function counted(
  { states, ledger }: RunStores,
  clock: StageClock,
  { onWork, processes }: { readonly onWork: FollowOptions['onWork']; readonly processes: Processes },
): RunStores['states'] {
  return (stage) => {
    const kept = states(stage);
    return {
      remove: () => kept.remove(),
      load: async () => {
        const saved = await kept.load();
        // Processes that resume from different steps would add gradients of different steps.
        processes.requireSame(`saved state of ${stage}`, () => hashOfState(saved));
        return saved;
      },
      save: async (state) => {
        await onWork?.();
        await kept.save(state);
        if (clock.untaken < 1) return;
        ledger.count(clock.take());
        await ledger.save();
      },
    };
  };
}
