import { monotonicMs } from '../base/clock.ts';
import { StageClock } from '../base/stage-clock.ts';
import type { LoadedRecipe } from '../recipe/load.ts';
import type { Report } from '../report/types.ts';
import type { StageContext } from './context.ts';
import { TOKENIZER_FILE } from '../data/text/open.ts';
import { loadDataToTeach, recipeTokenizer } from '../setup/data.ts';
import { engineOf, prepareSavedModels } from '../setup/engine.ts';
import type { OnEvent } from '../base/events.ts';
import { removeOutdated, unwritten, writeReport } from '../folder/report/written.ts';
import { requireFiles } from '../folder/inputs.ts';
import { runInputs, hashOfData } from './inputs.ts';
import type { SharedInputs } from './inputs.ts';
import type { RunOptions } from './options.ts';
import { makeReport } from './report.ts';
import { several } from '../runtime/collectives/collectives.ts';
import { contentOf, onSameMachine, requireSame, requireSameData } from './together.ts';
import { factsOf, stagesOf, stoppedReport } from '../folder/report/report-frame.ts';
import type { RunFindings } from './report.ts';
import { curvesOf, modelsSoFar, stopOf } from '../folder/report/stopped.ts';
import { openStores } from '../folder/states/stores.ts';
import type { RunStores } from '../folder/states/stores.ts';
import { trafficSince } from '../watch/traffic.ts';

/**
 * The stages of a run. They return their findings, and the data that models were scored on: labels that are missing are replaced by the teacher's
 * answers.
 */
export type Stages = (
  context: StageContext,
  stores: RunStores,
) => Promise<Partial<RunFindings> & { readonly data?: StageContext['data'] }>;

export interface FollowOptions extends RunOptions {
  readonly onEvent: OnEvent;
  /** Called before the run writes its first result; before that it has only read and checked the recipe and its files. */
  readonly onWork?: () => Promise<void>;
  /** Folder of another run whose trained teacher and stored answers this run uses and adds to, instead of its own. */
  readonly shared?: string;
  /** True if the run is a shard's part of a recipe. */
  readonly isShard?: boolean;
  readonly inputs?: SharedInputs;
  /** Never scores on the test split. */
  readonly withoutTest?: boolean;
  /** Notes for the report, added to the notes of the stages. */
  readonly notes?: readonly string[];
}

/** Runs the stages and writes the report, also if a stage fails: then it names the stage at which the run stopped. */
export async function follow(
  loaded: LoadedRecipe,
  folder: string,
  options: FollowOptions,
  stages: Stages,
): Promise<Report> {
  const { recipe, written } = loaded;
  let current = 'start';
  const clock = new StageClock(current);
  const onEvent: OnEvent = (event) => {
    if (event.type === 'stage') clock.enter((current = event.stage));
    options.onEvent(event);
  };
  let stores: RunStores | undefined;
  let facts = factsOf({ recipe });
  const ledger = () => {
    stores?.ledger.count(clock.take());
    const { rows = [], seconds: wallSeconds = 0 } = stores?.ledger ?? {};
    return { rows, found: { written, wallSeconds, stages: stores === undefined ? [] : stagesOf(stores.ledger) } };
  };
  try {
    await removeOutdated(folder);
    stores = await openStores(folder, onEvent, options.shared);
    const context = await begin(loaded, folder, stores, { ...options, onEvent, clock });
    facts = factsOf(context);
    await keepTokenizer(context, stores);
    const { data = context.data, ...findings } = await stages(context, stores);
    onEvent({ type: 'stage', stage: 'report' });
    const { rows, found } = ledger();
    const parts = rows.flatMap(({ notes: { microBatch } }) => (typeof microBatch === 'string' ? [microBatch] : []));
    const notes = [...(options.notes ?? []), ...parts, ...(findings.notes ?? [])];
    const training = await curvesOf(recipe, rows);
    const report = makeReport({ ...context, data }, { measured: [], ...found, training, ...findings, notes });
    // Before the report is written: a run that has its report is not resumed, so the ledger would stay behind.
    await stores.ledger.save();
    await writeReport(folder, report);
    return report;
  } catch (error) {
    const { rows, found } = ledger();
    // The run stopped before its first result (unreadable data, no engine): the error says everything, and no report is written.
    if (rows.length === 0) throw error;
    const write = async (): Promise<void> => {
      const under = stores && { stage: current, states: stores.states(current) };
      const training = await curvesOf(recipe, rows, under);
      const models = modelsSoFar(recipe, rows);
      await writeReport(
        folder,
        stoppedReport(recipe, facts, { ...found, training, models, stopped: stopOf(error, current) }),
      );
      stores?.ledger.count(clock.take());
      await stores?.ledger.save();
    };
    // The error that stopped the run matters more to the user than an error in its report.
    await write().catch((second: unknown) => options.onEvent({ type: 'warning', message: unwritten(second) }));
    throw error;
  }
}

/** Writes the tokenizer of a text data set beside the exported models, which need it. */
async function keepTokenizer({ recipe, data }: StageContext, { write }: RunStores): Promise<void> {
  const bytes = await recipeTokenizer(recipe, data);
  if (bytes !== undefined) await write(`exports/${TOKENIZER_FILE}`, bytes);
}

/** Opens the engine, loads the data, and enters both in the ledger. */
async function begin(
  { recipe, written }: LoadedRecipe,
  folder: string,
  stores: RunStores,
  options: FollowOptions & { readonly clock: StageClock },
): Promise<StageContext> {
  const { onEvent, onWork, signal, saveEvery = 5, withoutTest, clock, together } = options;
  // The engine is opened first: a missing library is reported before a large data set is read.
  onEvent({ type: 'stage', stage: 'engine' });
  const engine = engineOf(recipe);
  prepareSavedModels(recipe);
  onEvent({ type: 'stage', stage: 'data' });
  const start = monotonicMs();
  const inputs = await runInputs(folder, recipe, options);
  await requireFiles(recipe);
  await inputs?.checkFiles();
  const shared = several(together) ? { processes: await onSameMachine(together), readers: together } : {};
  const whole = await loadDataToTeach(recipe, shared);
  const data = withoutTest === true ? { ...whole, test: undefined } : whole;
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
    states: counted(stores, clock, { onWork: onFirstWork, together }),
    saveEveryMs: 1000 * saveEvery,
    done,
  };
  if (together !== undefined) await requireSameData(together, data);
  inputs?.checkData(hashOfData(whole));
  const context = { recipe, written, data, engine, onEvent, signal, together, ...saving };
  await done('data', seconds, {}, { facts: factsOf(context), recipe: written });
  return context;
}

/** Saved states of stages. Each save also enters the time since the last save in the ledger, so a killed run loses only the time of lost work. */
function counted(
  { states, ledger }: RunStores,
  clock: StageClock,
  { onWork, together }: { readonly onWork: FollowOptions['onWork']; readonly together: FollowOptions['together'] },
): RunStores['states'] {
  return (stage) => {
    const kept = states(stage);
    return {
      load: async () => {
        const saved = await kept.load();
        // Processes that resume from different steps would add gradients of different steps.
        if (several(together)) requireSame(together, `saved state of ${stage}`, contentOf(saved));
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
