import { RandomStream } from '../../base/random.ts';
import type { KeyedStore } from '../../distill/answers/soft-targets.ts';
import { generationStage } from '../../report/artifact.ts';
import { studentBuilder } from '../../setup/models.ts';
import type { FitContext, StageContext } from '../../run/context.ts';
import type { Generations } from '../../run/methods.ts';
import { collectAnswers } from '../../run/stages/teacher/answer.ts';
import type { Answers } from '../../run/stages/teacher/answer.ts';
import { trainStudent } from '../../run/stages/student/train-student.ts';
import { trainedTeacher } from '../../run/stages/teacher/teach.ts';

/**
 * Furlanello et al. 2018 (ICML), "Born-again neural networks": a student teaches its successor of the same architecture, which starts from other
 * weights. Trains all generations but the last, and returns the answers that the last learns from.
 */
async function earlier(context: FitContext, repeat: number, lessons: Answers, kept: KeyedStore): Promise<Answers> {
  const { recipe } = context;
  const { generations = 1 } = recipe.distill;
  let taught = lessons;
  for (let number = 1; number < generations; number++) {
    const seed = new RandomStream(recipe.seed + repeat, 'generation', number).uint32();
    const stage = generationStage(number, repeat);
    const fitted = await trainStudent(context, repeat, taught, {
      stage,
      title: `training generation ${number} of ${generations}`,
      build: studentBuilder(context, seed),
      settings: recipe.distill,
      seed,
      isNew: true,
    });
    if (taught !== lessons) await taught.teacher?.dispose();
    const teacher = await trainedTeacher(context, fitted, { name: `generation ${number}`, isStudents: false });
    taught = await collectAnswers(context, { teacher, trained: fitted }, kept, `answers of ${stage}`);
  }
  return taught;
}

/** Note for the report: a student of several generations costs more than its twin. */
function notes({ recipe }: Pick<StageContext, 'recipe'>): string[] {
  const { generations, leaveOut } = recipe.distill;
  const bias =
    leaveOut?.correctBias === true
      ? `. The bias of ${leaveOut.classes.join(', ')} is raised in each before it teaches`
      : '';
  return [
    `the distilled student is generation ${generations}, each taught by the one before; its twin has the epochs of one generation. Pruning and training with quantization learn from the teacher of the first${bias}`,
  ];
}

export const generations: Generations = { earlier, notes };
