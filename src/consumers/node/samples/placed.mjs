// == FITTED ==
/** Pixels of a picture as the model takes them: scaled, with grey beside them if it keeps proportions. */
function fitted(raw, { height, width }) {
  const [, down, across, channels] = input.shape;
  if (height === down && width === across) return raw;
  if (raw.length !== height * width * channels || raw.some((value) => !(value >= 0 && value <= 255)))
    throw new Error('expected ' + [height, width, channels].join(' * ') + ' pixels from 0 to 255, received ' + raw.length + ' numbers');
  return Array.from(fittedPixels({ data: Uint8Array.from(raw), height, width, channels }, [down, across, channels], input.fit));
}

// == FILE_PIXELS ==
// They are scaled where they are placed in the input.
const { data, info } = await pixelsOf(image);
const sides = { height: info.height, width: info.width };

// == ASK ==
const expected = sample[output.answers];
// __TAKE__
const size = { height: sample.height ?? input.shape[1], width: sample.width ?? input.shape[2] };
const answers = await answersOf(fitted(raw, size));

// == COMPARE ==
if (expected?.some((value, i) => Math.abs(value - answers[i]) > 1e-3 * Math.max(1, Math.abs(value)))) {
  console.error('not what example.json holds');
  process.exitCode = 1;
}
