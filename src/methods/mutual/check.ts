import { UserError } from '../../base/errors.ts';
import { contentOf } from '../../networks/network.ts';
import type { ModelNetwork } from '../../networks/network.ts';
import { peerBuilder } from '../../setup/models.ts';
import type { StageContext } from '../../run/context.ts';

/** Builds and checks the peer of a student. `UserError` for a peer that cannot learn from the student's samples, or that equals the student. */
export async function checkPeer(
  context: Pick<StageContext, 'recipe' | 'data'>,
  student: ModelNetwork,
): Promise<ModelNetwork> {
  const peer = await peerBuilder(context, context.recipe.seed)();
  const [own, its] = [student, peer].map(inputsText) as [string, string];
  if (own !== its)
    throw new UserError(
      `distill.peer: expected a network with the inputs of the student, ${own}, received ${its}`,
      "Name a model that takes the same samples, or leave `peer` out for a copy of the student's network.",
    );
  if (!isSame(student, peer)) return peer;
  throw new UserError(
    "distill.peer: expected other initial weights than the student's, received the same: both networks would always give equal answers",
    'Name another model, as `peer: { model: mlp }`, or draw the last layer anew: `student.head: replace`.',
  );
}

/** Input types as text. The name of a single input is left out: it is fed under a fixed name. */
function inputsText({ inputs }: ModelNetwork): string {
  const types = Object.entries(inputs);
  const shown = types.map(
    ([name, { dtype, shape }]) => `${types.length > 1 ? `${name} ` : ''}${dtype} [${shape.join(', ')}]`,
  );
  return shown.sort().join(' and ');
}

function isSame(student: ModelNetwork, peer: ModelNetwork): boolean {
  const [own, its] = [contentOf(student), contentOf(peer)];
  if (own.size !== its.size) return false;
  return [...own].every(([name, { type, data }]) => {
    const other = its.get(name);
    return (
      other !== undefined &&
      other.type.shape.join() === type.shape.join() &&
      (data as Float32Array).every((value, i) => Object.is(value, other.data[i]))
    );
  });
}
