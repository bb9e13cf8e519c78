/** Boxes with at least the score that preprocessing.json says, the highest first: label, score, and sides in pixels of a picture of this size, which lies at `place` in the model's input. */
function detected(answers, place, size) {
  const points = answers.length / (4 + labels.length);
  const scores = answers.slice(4 * points).map((logit) => 1 / (1 + Math.exp(-logit)));
  const row = suppressed(answers.slice(0, 4 * points), scores, { minScore: output.threshold, iou: output.overlap });
  const within = (value, most) => Math.min(most, Math.max(0, value));
  const x = (share) => within(((share * input.shape[2] - place.left) * size.width) / place.width, size.width);
  const y = (share) => within(((share * input.shape[1] - place.top) * size.height) / place.height, size.height);
  const found = [];
  for (let at = 0; at < row.length && row[at] >= 0; at += 6)
    found.push({
      index: row[at],
      label: labels[row[at]],
      score: row[at + 1],
      box: [x(row[at + 2]), y(row[at + 3]), x(row[at + 4]), y(row[at + 5])],
    });
  return found;
}

/** Place of a picture in the model's input, in pixels: in its middle with proportions kept, or the whole. */
function placeOf(size) {
  const [, height, width] = input.shape;
  return input.fit === 'letterbox' ? letterboxed(size, [height, width]) : { top: 0, left: 0, height, width };
}
