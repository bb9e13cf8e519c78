import type { LoadedRecipe } from '../recipe/load.ts';
import { reportFiles } from '../report/files.ts';
import type { Report } from '../report/types.ts';
import type { StageContext } from './context.ts';
import { loadData } from './data.ts';
import { engineOf } from './engine.ts';
import type { OnEvent } from './events.ts';
import { trafficSince } from './traffic.ts';
import type { RunOptions } from './options.ts';
import { makeReport, stagesOf } from './report.ts';
import type { Findings } from './report.ts';
import { curvesOf, modelsSoFar, stopOf } from './stopped.ts';
import { openStores } from './stores.ts';
import type { RunStores } from './stores.ts';

export type Stages = (context: StageContext, stores: RunStores) => Promise<Partial<Findings>>;

export interface FollowOptions extends RunOptions {
  readonly onEvent: OnEvent;
  /** Folder of a run whose trained teacher and stored answers are used and added to, instead of the run's own. */
  readonly shared?: string;
  /** Leave the test split alone. */
  readonly withoutTest?: boolean;
}

/** Follow the stages, and write the report of what they came to, or of where they stopped. */
export async function follow(
  { recipe, written }: LoadedRecipe,
  folder: string,
  { onEvent, signal, saveEvery = 5, shared, withoutTest }: FollowOptions,
  stages: Stages,
): Promise<Report> {
  const stores = await openStores(folder, onEvent, shared);
  const whole = await loadData(recipe);
  const data = withoutTest === true ? { ...whole, test: undefined } : whole;
  for (const message of data.warnings) onEvent({ type: 'warning', message });
  let current = 'the start';
  const follower: OnEvent = (event) => {
    if (event.type === 'stage') current = event.stage;
    onEvent(event);
  };
  const engine = engineOf(recipe);
  let before = engine.traffic;
  const done: StageContext['done'] = async (stage, seconds, figures = {}, notes = {}) => {
    const traffic = trafficSince(before, engine.traffic);
    before = engine.traffic;
    await stores.ledger.add({ stage, seconds, figures, notes: { ...notes, ...traffic } });
    const { dataWait } = notes;
    onEvent({ type: 'done', stage, figures, seconds, ...(typeof dataWait === 'number' && { dataWait }), ...traffic });
  };
  const saving = { states: stores.states, saveEveryMs: 1000 * saveEvery, done };
  const context: StageContext = {
    recipe,
    written,
    data,
    engine,
    onEvent: follower,
    signal,
    ...saving,
  };
  const write = async (found: Partial<Findings>): Promise<Report> => {
    const { rows, seconds: wallSeconds } = stores.ledger;
    const under = found.stopped && { stage: current, states: stores.states(current) };
    const training = await curvesOf(rows, under);
    const report = makeReport(context, {
      ...{ measured: [], written, wallSeconds, training, stages: stagesOf(rows) },
      ...found,
    });
    for (const [name, content] of reportFiles(report)) await stores.write(name, content);
    return report;
  };
  try {
    return await write(await stages(context, stores));
  } catch (error) {
    // What stopped the run matters more than what stops its report.
    await write({ stopped: stopOf(error, current), soFar: modelsSoFar(stores.ledger.rows) }).catch(() => undefined);
    throw error;
  }
}
