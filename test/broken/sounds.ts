import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { floats, modelOf } from '../support/onnx-steps.ts';
import { wavFile } from '../support/sound.ts';
import { png } from './files.ts';
import type { Case } from './files.ts';

const CONVERT = 'Convert it, e.g. with `ffmpeg -i in.wav -ac 1 -c:a pcm_s16le out.wav`.';
const AGAIN = 'Get the file again and compare its size with the source.';
const READ =
  'Files that end in .wav, .wave are read; convert others, e.g. with `ffmpeg -i in.mp3 -ac 1 -c:a pcm_s16le out.wav`.';
const DIVIDE = 'Divide its values by the largest one of their type, e.g. by 32768 where they were integers of 16 bits.';
const EMPTY = ['no sound in it', 'Remove the file, or record it again.'] as const;

const short = [0, 0.25, -0.5, 0.75, -1];
const good = wavFile(
  Array.from({ length: 400 }, (_, i) => 0.5 * Math.sin(i)),
  { rate: 4000 },
);
const GOOD = Object.fromEntries(['yes', 'no'].flatMap((name) => [1, 2, 3].map((i) => [`s/${name}/${i}.wav`, good])));

const picture = await png(8);

/** A recipe on the good sounds, with more keys of the data set, and another student. */
const recipe = (more = '', student = '{ model: ds-cnn, width: 0.25 }'): string =>
  `dataset: { type: audio-folder, train: s, testFraction: 0.4, validation: 1, rate: 4000, seconds: 0.1${more} }\nstudent: ${student}\n`;

/** A good file with other bytes from an offset on. */
function changed(at: number, ...bytes: readonly number[]): Buffer {
  const file = wavFile(short);
  Buffer.from(bytes).copy(file, at);
  return file;
}

/** A header of the extensible kind, whose own encoding stands further down, of so many bytes. */
function extensible(tag: number, size = 40): Buffer {
  const plain = wavFile(short);
  const more = Buffer.alloc(24);
  more.writeUInt16LE(22, 0);
  more.writeUInt16LE(16, 2);
  more.writeUInt16LE(tag, 8);
  const head = Buffer.concat([plain.subarray(0, 36), more.subarray(0, size - 16)]);
  head.writeUInt32LE(size, 16);
  head.writeUInt16LE(0xfffe, 20);
  return Buffer.concat([head, plain.subarray(36)]);
}

/** A good header, and bytes of another kind of file before it. */
const named = (start: string): Buffer => Buffer.concat([Buffer.from(start, 'latin1'), wavFile(short)]);

/** One file among good ones. */
const file = (bytes: Buffer | string, says: string, remedy: string): Case => ({
  recipe: recipe(),
  files: { ...GOOD, 's/yes/bad.wav': bytes },
  message: [`s/yes/bad.wav: ${says}`, remedy],
});

/** Good sounds, and keys that do not fit them. */
const keys = (more: string, says: string, remedy: string, files: Case['files'] = {}): Case => ({
  recipe: recipe(more),
  files: { ...GOOD, ...files },
  message: [says, remedy],
});

/** A model of two logits for samples of eight numbers. */
const SOUNDS = Buffer.from(encodeModel(modelOf(['n', 8], { w: floats(8, 2) }, [['MatMul', ['x', 'w']]])));

export const sounds: Readonly<Record<string, Case>> = {
  'a WAV file of three channels': file(wavFile([0, 0, 0], { channels: 3 }), '3 channels, expected one or two', CONVERT),
  'a WAV file of no channel': file(changed(22, 0, 0), '0 channels, expected one or two', CONVERT),
  'a WAV file without a value': file(wavFile([]), ...EMPTY),
  'a WAV file of half a value': file(Buffer.concat([wavFile([]).subarray(0, 40), Buffer.from([1, 0, 0, 0, 7])]), ...EMPTY), // prettier-ignore
  'a WAV file of 12 bits': file(changed(34, 12, 0), '12 bits a value, expected 8, 16, 24 or 32', CONVERT),
  'a WAV file of halves': file(changed(20, 3, 0), '16 bits a value, expected 32 or 64', CONVERT),
  'a WAV file of rate 0': file(changed(24, 0, 0, 0, 0), 'not a valid WAV file: its rate is 0', AGAIN),
  'half of the data of a WAV file': file(
    wavFile(short).subarray(0, 49),
    'truncated: its header promises 10 bytes of sound, received 5',
    AGAIN,
  ),
  'half of the header of a WAV file': file(
    wavFile(short).subarray(0, 30),
    'not a valid WAV file: its format is cut off',
    AGAIN,
  ),
  'a WAV file without data': file(wavFile(short).subarray(0, 36), 'not a valid WAV file: it has no data', AGAIN),
  'a WAV file whose data come first': file(
    changed(12, 0x64, 0x61, 0x74, 0x61),
    'not a valid WAV file: its data come before its format',
    AGAIN,
  ),
  'an empty WAV file': file('', 'no WAV file: expected RIFF and WAVE at its start', CONVERT),
  'an MP3 file that ends in .wav': file(named('ID3\x03'), 'an MP3 file: expected RIFF and WAVE at its start', CONVERT),
  'a FLAC file that ends in .wav': file(named('fLaC'), 'a FLAC file: expected RIFF and WAVE at its start', CONVERT),
  'an Ogg file that ends in .wav': file(named('OggS'), 'an Ogg file: expected RIFF and WAVE at its start', CONVERT),
  'an AIFF file that ends in .wav': file(named('FORM'), 'an AIFF file: expected RIFF and WAVE at its start', CONVERT),
  'a WAV file of more than 4 GB': file(
    changed(0, 0x52, 0x46, 0x36, 0x34),
    'a WAV file of the kind RF64: expected RIFF and WAVE at its start',
    CONVERT,
  ),
  'a video in RIFF': file(changed(8, 0x41, 0x56, 0x49, 0x20), 'no WAV file: expected RIFF and WAVE at its start', CONVERT), // prettier-ignore
  'a WAV file of A-law': file(changed(20, 6, 0), 'its encoding is A-law, expected PCM or floats', CONVERT),
  'a WAV file of µ-law': file(changed(20, 7, 0), 'its encoding is µ-law, expected PCM or floats', CONVERT),
  'a WAV file of MP3': file(changed(20, 85, 0), 'its encoding is MP3, expected PCM or floats', CONVERT),
  'a WAV file of GSM': file(changed(20, 49, 0), 'its encoding is GSM 6.10, expected PCM or floats', CONVERT),
  'a WAV file of an unknown encoding': file(changed(20, 9, 9), 'its encoding is number 2313, expected PCM or floats', CONVERT), // prettier-ignore
  'an extensible WAV file of A-law': file(extensible(6), 'its encoding is A-law, expected PCM or floats', CONVERT),
  'an extensible WAV file that does not say of what': file(
    extensible(1, 18),
    'not a valid WAV file: its format is cut off',
    AGAIN,
  ),
  'a WAV file whose first part leads beyond its end': file(
    changed(16, 0xff, 0xff, 0xff, 0x7f),
    'not a valid WAV file: its format is cut off',
    AGAIN,
  ),
  'a WAV file of 24 bits in 32': file(
    changed(34, 24, 0),
    '2 bytes for the value of a moment, expected 3: 1 of 24 bits',
    CONVERT,
  ),
  'a WAV file that is no number': file(
    wavFile([0.5, NaN], { tag: 3, bits: 32 }),
    'not a valid WAV file: value 1 of its sound is NaN',
    AGAIN,
  ),
  'a WAV file of floats too large for 32 bits': file(
    wavFile([0.5, 0, 1e300], { tag: 3, bits: 64 }),
    'not a valid WAV file: value 2 of its sound is Infinity',
    AGAIN,
  ),
  'a WAV file of integers as floats': file(
    wavFile([3, -20_000, 5], { tag: 3, bits: 32 }),
    'value 1 of its sound is -20000, expected -1 to 1',
    DIVIDE,
  ),
  'a stereo file of which one side is no number, beside mono': file(
    wavFile([0.5, 0.5, 0.5, NaN], { tag: 3, bits: 32, channels: 2 }),
    'not a valid WAV file: value 1 of its sound is NaN',
    AGAIN,
  ),
  'a rate in kilohertz': file(
    wavFile(short, { rate: 4 }),
    'a rate of 4 values a second, expected one nearer to 4000, that of the data',
    'Write the true rate into its header, e.g. with `ffmpeg -i in.wav -af asetrate=4000 out.wav`, or change dataset.rate.',
  ),
  'a rate of a billion': file(
    wavFile(short, { rate: 1_000_000_000 }),
    'a rate of 1000000000 values a second, expected one nearer to 4000, that of the data',
    'Write the true rate into its header, e.g. with `ffmpeg -i in.wav -af asetrate=4000 out.wav`, or change dataset.rate.',
  ),
  'sounds of a class at test that training lacks': {
    recipe: recipe(', test: t').replace('testFraction: 0.4, ', ''),
    files: { ...GOOD, 't/yes/1.wav': good, 't/perhaps/1.wav': good },
    message: [
      't/perhaps: unknown label "perhaps", expected one of 2 classes: no, yes',
      'Every label must occur in train or be listed as `classes` in the recipe.',
    ],
  },
  'sounds without labels that are none': keys(', unlabelled: u', 'u: no sounds in it, but e.g. u/1.mp3', READ, {
    'u/1.mp3': 'ID3',
  }),
  'a WAV file of big-endian numbers': file(
    changed(0, 0x52, 0x49, 0x46, 0x58),
    'a WAV file of the kind RIFX: expected RIFF and WAVE at its start',
    CONVERT,
  ),
  'a WAV file of ADPCM': file(changed(20, 17, 0), 'its encoding is IMA ADPCM, expected PCM or floats', CONVERT),
  'a WAV file of infinity': file(
    wavFile([0, Infinity], { tag: 3, bits: 32 }),
    'not a valid WAV file: value 1 of its sound is Infinity',
    AGAIN,
  ),
  'a rate that shares no divisor': file(
    wavFile(short, { rate: 44_101 }),
    'a rate of 44101 values a second cannot be brought to 4000: they have no large common divisor',
    'Bring it to another rate, e.g. with `ffmpeg -i in.wav -ar 4000 out.wav`.',
  ),
  'a folder of sounds without classes': {
    recipe: recipe().replace('train: s', 'train: s/yes'),
    files: GOOD,
    message: ['s/yes: no sub-folders, expected one per class', 'Put the sounds of class `cat` in a folder `cat`.'],
  },
  'a folder of pictures for sounds': {
    recipe: recipe(),
    files: { 's/yes/1.png': picture, 's/no/1.png': picture },
    message: ['s: no sounds in its 2 sub-folders, but e.g. s/no/1.png', READ],
  },
  'a class without a sound among classes with some': keys(
    '',
    's: no sounds in the folder of class maybe',
    'Put some into it, or remove the folder.',
    { 's/maybe/readme.md': 'none yet' },
  ),
  'sounds of no length': {
    recipe: recipe().replace('seconds: 0.1', 'seconds: 0.0001'),
    files: GOOD,
    message: ['dataset.seconds: a sound has no value', 'Raise dataset.seconds or dataset.rate.'],
  },
  'a frame longer than a sound': keys(
    ', features: { window: 0.2 }',
    'dataset.features: a frame of 800 values, one every 80, does not fit into a sound of 400',
    'Change window and hop, or dataset.seconds.',
  ),
  'a band beyond half of the rate': keys(
    ', features: { high: 4000 }',
    'dataset.features: expected low < high ≤ 2000 hertz (half of the rate), received 20 and 4000',
    'Change them, or dataset.rate.',
  ),
  'more coefficients than bands': keys(
    ', features: { mels: 8, coefficients: 9 }',
    'dataset.features.coefficients: expected at most as many as mels, 8, received 9',
    'Ask for fewer, or for more mels.',
  ),
  'a mask over all frames': keys(
    ', features: { specAugment: { timeWidth: 4 } }',
    'dataset.features.specAugment.timeWidth: expected less than the 4 frames of a sound, received 4',
    'A mask that covers all of a sound leaves nothing to learn from: choose a smaller one.',
  ),
  'a mask over all bands': keys(
    ', features: { mels: 8, specAugment: { frequencyWidth: 30 } }',
    'dataset.features.specAugment.frequencyWidth: expected less than the 8 bands of a sound, received 30',
    'A mask that covers all of a sound leaves nothing to learn from: choose a smaller one.',
  ),
  'masks of no width': keys(
    ', features: { specAugment: { timeWidth: 0 } }',
    'dataset.features.specAugment: expected a timeWidth or a frequencyWidth above 0, received 0 for both',
    'Say how many frames (timeWidth) or bands (frequencyWidth) a mask may cover, or remove specAugment.',
  ),
  'masks of the spectrum of a student that has none': {
    recipe: recipe(', features: { specAugment: { timeWidth: 2 } }', '{ onnx: m.onnx }'),
    files: { ...GOOD, 'm.onnx': SOUNDS },
    message: [
      'dataset.features.specAugment: expected a named student, whose spectrum is computed here, received one from a file',
      'Remove specAugment, or name a model: `student: { model: ds-cnn }`.',
    ],
  },
  'a folder of noise that is not there': keys(
    ', augment: [{ background: { folder: n } }]',
    'dataset.augment.0.background.folder: n: cannot read it: no such file or folder',
    'Check the path; relative paths in a recipe start at the recipe file.',
  ),
  'a folder of noise without a sound': keys(
    ', augment: [{ background: { folder: n } }]',
    'n: no sounds in it, but e.g. n/readme.txt',
    READ,
    { 'n/readme.txt': 'nothing' },
  ),
  'noise that is no sound': keys(
    ', augment: [{ background: { folder: n } }]',
    'n/1.wav: no WAV file: expected RIFF and WAVE at its start',
    CONVERT,
    { 'n/1.wav': 'nothing, but more than twelve bytes' },
  ),
  'noise behind pictures': {
    recipe: `dataset: { type: image-folder, train: p, testFraction: 0.4, validation: 1, augment: [{ background: { folder: s } }] }\nstudent: { model: ds-cnn }\n`,
    files: { ...GOOD, ...Object.fromEntries(['a', 'b'].flatMap((name) => [1, 2, 3].map((i) => [`p/${name}/${i}.png`, picture]))) }, // prettier-ignore
    message: [
      'augment: background changes sounds, but a sample is [8, 8, 3]',
      'Remove it: timeShift, gain, noise and background are for `type: audio-folder`.',
    ],
  },
  'a model whose sub-bands do not fit': {
    recipe: recipe(', features: { mels: 20 }', '{ model: bc-resnet }'),
    files: GOOD,
    message: [
      'model bc-resnet, bands: 5 do not divide the 3 frequencies that stage3_block1 has',
      'Set dataset.features.mels to 8 times a multiple of it, or bands to 1.',
    ],
  },
};
