// == PICTURE ==
/** A picture file as a sample: upright, without transparency, decoded and scaled as those that the model learnt from. */
async function pictureIn(file) {
  const { default: sharp } = await import('sharp').catch((error) => {
    console.error(file + ': pictures are decoded by the package sharp, which is not here: npm install sharp (' + error.code + ')');
    process.exit(1);
  });
  const [, height, width, channels] = input.shape;
  const pixelsOf = (image) => image.toColourspace('srgb').removeAlpha().raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  try {
    const image = sharp(file, { failOn: 'error' }).autoOrient();
    const { space, icc, hasAlpha } = await image.metadata();
    if (space === 'cmyk' && icc === undefined) throw new Error('expected colours of red, green and blue, received inks');
    // __FILE_PIXELS__
    const raw = [];
    for (let i = 0; i < data.length; i += 3) {
      const [red, green, blue] = [data[i], data[i + 1], data[i + 2]];
      if (channels === 1) raw.push((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16);
      else raw.push(red, green, blue);
    }
    return { raw, ...sides };
  } catch (error) {
    console.error(file + ': ' + error.message.split('\n')[0]);
    process.exit(1);
  }
}

// == FILE_PIXELS ==
const { LANCZOS, resized } = await import('./resize.js');
// Transparency goes first: sharp weighs pixels by it.
const whole = hasAlpha ? await pixelsOf(image) : undefined;
const { width: across, height: down } = whole?.info ?? {};
const opaque = whole === undefined ? image : sharp(whole.data, { raw: { width: across, height: down, channels: 3 } });
const smaller = await pixelsOf(opaque.resize(width, height, { fit: 'fill', withoutEnlargement: true }));
const from = [smaller.info.height, smaller.info.width, 3];
const data = resized(new Uint8Array(smaller.data), from, [height, width], LANCZOS);
const sides = {};
