import { exists } from '../../base/files.ts';
import { readOnnx } from '../../files/onnx-file.ts';
import { storedRecipe } from '../../folder/folder.ts';
import { finishedReport } from '../../folder/report/finished.ts';
import { inOnePiece } from '../../formats/onnx/large.ts';
import { curveOf } from '../../ship/cluster/curve.ts';
import { CLUSTERS, MEASURED_ON } from '../../ship/cluster/model.ts';
import type { ShippedModel, Target } from '../../ship/cluster/model.ts';

/** The teacher's file, if the recipe names one that exists, with its measurements in the report. */
export async function teacherOf(
  run: string,
  target: Target,
): Promise<Pick<ShippedModel, 'bytes' | 'curve'> | undefined> {
  const { recipe } = await storedRecipe(run);
  const file = recipe.teacher?.onnx;
  if (file === undefined || !(await exists(file))) return undefined;
  const report = await finishedReport(run);
  const row = report?.models.find(({ id }) => id === 'teacher');
  return {
    bytes: inOnePiece(await readOnnx(file), file, CLUSTERS),
    curve: curveOf(row?.latency ?? [], MEASURED_ON[target]),
  };
}
