import { monotonicMs } from '../../base/clock.ts';
import { mean } from '../../base/math/statistics.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { networkParameters } from '../../networks/network.ts';
import { number } from '../../report/format.ts';
import { stageOf } from '../../report/artifact.ts';
import { peerBuilder, studentBuilder } from '../../setup/models.ts';
import type { TrainedModel } from '../../ship/export.ts';
import { taskOf } from '../../tasks/registry.ts';
import type { FitContext, StageContext } from '../../run/context.ts';
import type { Mutual } from '../../run/methods.ts';
import { checkPeer } from './check.ts';
import { peerPrograms, withPeer } from './peer.ts';
import { numberOf, trainStudent } from '../../run/stages/student/train-student.ts';
import { validationScore } from '../../run/stages/score-as-given.ts';

interface TrainedWithPeer extends TrainedModel {
  readonly peer: { readonly name: string; readonly params: number; readonly validation: number };
}

/**
 * Zhang et al. 2018 (CVPR), "Deep mutual learning", algorithm 1: two students learn from the same batches, each from the labels and from the other's
 * answers. Only the student is exported; the peer is scored at the same epoch.
 */
async function trainWithPeer(context: FitContext, repeat: number): Promise<TrainedWithPeer> {
  const { recipe } = context;
  const seed = recipe.seed + repeat;
  const build = peerBuilder(context, seed);
  const model = { role: 'distilled', repeat } as const;
  const stage = stageOf(model);
  const trained = await trainStudent(context, repeat, undefined, {
    stage,
    title: `training the student and its peer${numberOf(recipe, repeat)}`,
    build: studentBuilder(context, seed),
    settings: recipe.distill,
    seed,
    peer: { build, pair: withPeer, programs: peerPrograms },
    isNew: true,
  });
  const peerStage = `peer of ${stage}`;
  context.onEvent({ type: 'stage', stage: peerStage });
  const started = monotonicMs();
  const network = await build();
  const validation = await validationScore(context, network, trained.peer!);
  const params = networkParameters(network);
  network.dispose();
  await context.done(peerStage, (monotonicMs() - started) / 1000, { score: { validation }, params });
  return { model, trained, peer: { name: nameOf(recipe), params, validation } };
}

/** Notes for the report: the peer and its score, and the stages that train without a peer. */
function peerNotes(
  { recipe, data }: Pick<StageContext, 'recipe' | 'data'>,
  students: readonly TrainedModel[],
): string[] {
  const peers = students.flatMap((student) => ('peer' in student ? [(student as TrainedWithPeer).peer] : []));
  const [first] = peers;
  if (first === undefined) return [];
  const { score } = taskOf(data.validation);
  const scoreText = score.said(mean(peers.map(({ validation }) => validation)), 'the validation split');
  const over = peers.length > 1 ? `, mean of ${peers.length} repeats,` : '';
  const isTrained = (step: Recipe['quantize'][number]): boolean =>
    ('method' in step && step.method === 'qat') || ('fallback' in step && step.fallback === 'qat');
  const later = recipe.prune.length > 0 || recipe.quantize.some(isTrained);
  return [
    `the peer of the student (${first.name}, ${number(first.params)} parameters) is ${scoreText}${over} with the weights of the epoch that was chosen for the student; it is not exported`,
    ...(later ? ['pruning and training with quantization learn from the labels alone, without the peer'] : []),
  ];
}

function nameOf({ distill }: Recipe): string {
  const peer = 'peer' in distill ? distill.peer : undefined;
  return peer === undefined ? 'the same network from other weights' : peer.model;
}

export const mutualLearning: Mutual = { check: checkPeer, train: trainWithPeer, notes: peerNotes };
