import '../features.ts';
import { InterruptedError, UserError } from '../base/errors.ts';
import type { OnEvent } from '../base/events.ts';
import { storedRecipe } from '../folder/folder.ts';
import { openStores } from '../folder/states/stores.ts';
import { withEpochs } from '../recipe/steps.ts';
import { loadDataToTeach } from '../setup/data.ts';
import { engineOfRun } from '../setup/engine.ts';
import { alone } from '../train/processes.ts';
import type { Training } from './at-once.ts';
import { sentFailure } from './at-once-protocol.ts';
import type { FromProcess, Setup, ToProcess } from './at-once-protocol.ts';
import type { StageContext } from './context.ts';
import { filesKey } from './repeat-key.ts';
import { prepareStudents, trainingsOf } from './stages.ts';

/**
 * Entry of a process that trains students of a run, one stage at a time, as the first process asks. It reads recipe and states from the run's folder.
 * The first process has already trained and checked the teacher and stored its answers.
 */

const setup = JSON.parse(process.argv[2]!) as Setup;
const stop = new AbortController();
let isTraining = false;
let opened: Promise<Map<string, Training>> | undefined;

// The first process is gone: exit at once, because another start of the run may have begun.
process.once('disconnect', () => process.exit(1));
process.on('message', (message: ToProcess) => {
  if ('train' in message) void train(message.train);
  else stop.abort();
});

const send = (message: FromProcess): void => void process.send!(message);

const onEvent: OnEvent = (event) => {
  // The first process has already reported the messages before a training.
  if (isTraining) send({ event });
};

async function train(stage: string): Promise<void> {
  try {
    opened ??= open(setup);
    const trainings = await opened;
    isTraining = true;
    await trainings.get(stage)!.train();
    send({ trained: stage });
  } catch (error) {
    if (error instanceof InterruptedError) send({ interrupted: error.message });
    else send({ failure: sentFailure(error) });
  } finally {
    isTraining = false;
  }
}

async function open({ folder, threads, files, saveEveryMs }: Setup): Promise<Map<string, Training>> {
  const { recipe: asked, written } = await storedRecipe(folder);
  const engine = await engineOfRun({ ...asked, threads });
  const data = await loadDataToTeach(asked, {});
  const recipe = withEpochs(asked, data.train.count);
  const stores = await openStores(folder, onEvent);
  const context: StageContext = {
    recipe,
    written,
    data,
    engine,
    onEvent,
    processes: alone,
    signal: stop.signal,
    saveEveryMs,
    states: stores.states,
    // The first process enters the stage in the ledger when it loads the finished state.
    done: () => Promise.resolve(),
    isChecked: true,
  };
  const prepared = await prepareStudents(context, stores);
  if ((await filesKey(prepared.context, prepared.teaching)) !== files)
    throw new UserError(
      `${folder}: the data, the student or the teacher changed while the run trains`,
      'Restore the files, do not change them during a run, and start the run again.',
    );
  const repeats = Array.from({ length: recipe.repeats }, (_, repeat) => repeat);
  const trainings = repeats.flatMap((repeat) => trainingsOf(prepared, repeat, stores));
  return new Map(trainings.map((one) => [one.stage, one]));
}
