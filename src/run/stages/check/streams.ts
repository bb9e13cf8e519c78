import { UserError } from '../../../base/errors.ts';
import { STREAMS } from '../../../base/streams.ts';
import { STREAM_FORM } from '../../../convert/streams.ts';
import { contentOf } from '../../../networks/network.ts';
import type { ModelNetwork } from '../../../networks/network.ts';
import { streamFormats } from '../../../recipe/schema/export.ts';
import { inferenceGraph } from '../../../ship/export.ts';
import { onnxOptions } from '../../../ship/metadata.ts';
import type { StageContext } from '../../context.ts';

/** `UserError` by the name of a layer for a student that looks ahead, of which a stream is asked for: that would be found after its training. */
export async function refuseLookingAhead(
  context: Pick<StageContext, 'recipe' | 'data'>,
  network: ModelNetwork,
): Promise<void> {
  const { export: asked, student } = context.recipe;
  const graph = inferenceGraph({ network, weights: contentOf(network) }, []);
  const { metadata } = onnxOptions({ ...context, written: context.recipe });
  const { streamGraph } = await STREAM_FORM.load(STREAMS);
  try {
    for (const format of streamFormats(asked)) streamGraph(graph, format).metadata(metadata);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const at = asked.findIndex((one) => typeof one === 'object');
    const named = student?.model === undefined ? '' : ` of the student ${student.model}`;
    throw new UserError(
      `export.${at}.stream${named}: ${error.message}`,
      `${error.hint} Or take the stream out of \`export\`. Students that are streams stand in docs/streams.md.`,
    );
  }
}
