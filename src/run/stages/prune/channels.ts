import { RandomStream } from '../../../base/random.ts';
import type { Costs } from '../../../compress/prune/costs.ts';
import type { Skipped } from '../../../base/skipped.ts';
import { drawnAnswers } from '../../../compress/prune/fisher.ts';
import { pruneChannels } from '../../../compress/prune/prune.ts';
import type { LayerCut, MeasureGroups } from '../../../compress/prune/prune.ts';
import { taylorScores } from '../../../compress/prune/taylor.ts';
import { isMix } from '../../../data/augment/kinds.ts';
import { batchCount, batches } from '../../../data/batches/batches.ts';
import { labelledCount, labelledOf } from '../../../data/readers/labelled.ts';
import { isPartial, known, leastConfidence } from '../../../distill/answers/known.ts';
import { createLoss } from '../../../distill/losses/registry.ts';
import { taskOf } from '../../../tasks/registry.ts';
import { fixedMasks } from '../../../train/step/masks.ts';
import { saliencyProgram } from '../../../train/saliency.ts';
import { epochOptions } from '../../training/options.ts';
import type { Fitted } from '../../../train/training.ts';
import { progressOf } from '../../../train/progress.ts';
import { laterNumbersOf, studentLoss } from '../student/train-student.ts';
import { finetune } from './job.ts';
import type { PruneJob, PruneOutcome, Uncut } from './job.ts';
import type { PruneChannels } from '../../../recipe/schema/compress.ts';

/**
 * Removes channels in `rounds` rounds, with training after each. Every round keeps the same share of the channels, so early rounds remove most while
 * most training is still to come. Rounds before the first that removes a channel are not trained.
 */
export async function pruneStepChannels(job: PruneJob<PruneChannels>): Promise<PruneOutcome | Uncut> {
  const { step, stage, from } = job;
  const { target, importance, budget, multipleOf, amount, rounds } = step;
  let student = from;
  let whole: Costs | undefined;
  let cuts: readonly LayerCut[] = [];
  let leftAlone: readonly Skipped[] = [];
  for (let round = 0; ; round++) {
    const isLast = round + 1 === rounds;
    const { result, skipped } = await pruneChannels(student.network, student.weights, {
      target,
      importance,
      budget,
      multipleOf,
      whole,
      amount: 1 - (1 - amount) ** ((round + 1) / rounds),
      measure: measureWith(job, student),
    });
    const { before, after, short, masks } = { ...result, masks: student.masks && result.slice(student.masks) };
    cuts = result.cuts.map((cut, g) => ({ ...cut, before: cuts[g]?.before ?? cut.before }));
    if (whole === undefined) leftAlone = skipped.filter((one) => !short.includes(one));
    whole ??= before;
    const figures = { macs: after.macs, params: after.parameters };
    const all = [...leftAlone, ...short];
    // Nothing was removed, and training alone does not make a pruned student.
    if (student === from && after.parameters === before.parameters) {
      if (result.network !== from.network) result.network.dispose();
      if (isLast) return { uncut: true, skipped: all };
      continue;
    }
    const title =
      `pruning the student${rounds > 1 ? `, round ${round + 1} of ${rounds}` : ''}: ${before.channels} → ${after.channels} channels, ` +
      `${before.parameters} → ${after.parameters} parameters, ${before.macs} → ${after.macs} MACs`;
    student = await finetune(job, {
      stage: isLast ? stage : `${stage}-round-${round + 1}`,
      title,
      round,
      network: result.network,
      weights: result.weights,
      masks: masks && (() => fixedMasks(masks)),
      done: job.inLedger({ figures, notes: { cuts, skipped: all } }),
    });
    if (isLast) return { trained: { ...student, ...(masks && { masks }) }, skipped: all, cuts, said: [] };
  }
}

/** Enough batches that the order of the channels hardly changes any more, at a fraction of an epoch. */
const TAYLOR_BATCHES = 32;

/** Measures the importance of channels for the loss and the batches that the student is trained with. */
function measureWith(job: PruneJob<PruneChannels>, { network, weights }: Fitted): MeasureGroups {
  const { context, step, stage, lessons } = job;
  return async (groups) => {
    const { engine, data, recipe } = context;
    context.onEvent({ type: 'stage', stage, title: 'measuring the importance of channels' });
    const seed = recipe.seed;
    const drawn = step.importance === 'fisher' ? drawing(job) : undefined;
    const options =
      drawn?.options ??
      (await studentLoss(context, lessons, () => network.withWeights(weights), { seed, isNew: false }));
    const requestedLoss = await createLoss(options.loss, options.lossArgs);
    // Losses that remember samples or read a strong view give way to their plain form: an empty memory would measure chance, and no strong view is
    // drawn here.
    const plain = { ...options.lossArgs, hyper: laterNumbersOf(recipe, 'kd'), features: [] };
    const loss = requestedLoss.reads === undefined ? requestedLoss : await createLoss('kd', plain);
    const learnt = lessons === undefined ? labelledOf(data.train) : data.train;
    const minConfidence = leastConfidence(recipe);
    const partial = lessons !== undefined && isPartial(data.train, minConfidence);
    const hasLabels = labelledCount(data.train) > 0;
    const batchSize = Math.min(recipe.distill.batchSize, learnt.count);
    const settings = { ...recipe.distill, epochs: step.finetune.epochs, batchSize };
    const order = epochOptions(recipe, { settings, seed, views: lessons?.views }, 0);
    const whole = Math.max(1, batchCount(learnt.count, batchSize) - (learnt.count % batchSize === 0 ? 0 : 1));
    const task = taskOf(data.train);
    const mix = recipe.dataset.augment.some(isMix) ? 'soft' : (task.trainsOn ?? 'none');
    const most = Math.min(whole, TAYLOR_BATCHES);
    const tell = progressOf(context, stage);
    async function* some() {
      for (const batch of batches(learnt, { ...order, classWeights: data.classWeights })) {
        tell('batch', batch.index, most);
        if (batch.index === most) return;
        const answered = { ...batch, teacher: (await lessons?.answers.answersFor(batch)) ?? {} };
        const seen = partial ? known(answered, { task, hasLabels, minConfidence }) : answered;
        yield drawn === undefined ? seen : { ...seen, teacher: drawn.from(seen.teacher) };
      }
    }
    return taylorScores(groups, {
      engine,
      weights,
      task,
      batches: some(),
      hyper: loss.hyper,
      microBatch: loss.acrossBatch === true || task.acrossBatch === true ? batchSize : recipe.distill.microBatch,
      program: (size) =>
        saliencyProgram({ network, task, loss, batchSize: size, mix, partial, teacherWidth: lessons?.answers.width }),
    });
  };
}

const LOGITS = 'teacherLogits';

/** The loss of the importance `fisher`, and the teacher's answers in the form that the loss reads. */
function drawing({ context: { recipe, data }, number }: PruneJob) {
  const { distill, seed } = recipe;
  const temperature = 'temperature' in distill ? distill.temperature : 1;
  const classes = taskOf(data.train).width;
  const random = new RandomStream(seed, 'fisher', number);
  return {
    options: { loss: 'kd', lossArgs: { hyper: { temperature, alpha: 1 } } } as const,
    from: (answers: Readonly<Record<string, Float32Array>>) => ({
      [LOGITS]: drawnAnswers(answers[LOGITS]!, { classes, temperature, random }),
    }),
  };
}
