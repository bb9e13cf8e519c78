/**
 * Opens a folder with pipeline() of transformers.js, and gives the label of each input, or of each of its tokens or pixels, or its vector or boxes, as JSON
 * can hold it. It runs in Node and in browsers.
 */
export async function answersOf(pipeline, { pipeline: task, name, dtype, inputs, threshold, tokens }) {
  const ask = await pipeline(task, name, { dtype });
  const labels = [];
  for (const input of inputs) {
    if (task === 'object-detection') labels.push(await ask(input, { threshold, percentage: true }));
    else if (task === 'image-segmentation') {
      // The label of each pixel: masks of several classes do not overlap.
      const found = await ask(input);
      const pixels = Array.from(found[0].mask.data, (_, at) => found.find(({ mask }) => mask.data[at] === 255).label);
      labels.push(pixels.join(' '));
    } else if (task === 'token-classification') {
      const tokens = await ask(input, { ignore_labels: [] });
      labels.push(tokens.map(({ entity }) => entity).join(' '));
    } else if (task === 'text-generation')
      labels.push((await ask(input, { max_new_tokens: tokens }))[0].generated_text);
    else if (task.endsWith('feature-extraction')) labels.push((await ask(input)).tolist()[0]);
    else labels.push((await ask(input))[0].label);
  }
  await ask.dispose();
  return labels;
}
