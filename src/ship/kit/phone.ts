import { kitOf, loadKit } from './forms.ts';
import { sharedModules } from './portable.ts';
import { formParts, sampleFile, sampleParts, sampleTexts } from './samples.ts';

/** Members of the classes that give each input of a model its part of a sample. */
const feeds = () => sampleTexts({ FEEDS: 'android/feeds.kt', MODEL: 'ios/model.swift', FEED: 'ios/feed.swift' });

/** Expressions for the numbers of all outputs, one after another. */
function reading(form: string) {
  const places = Array.from({ length: kitOf(form).outputs ?? 1 }, (_, i) => i);
  const swift = (at: number): string =>
    `interpreter.output(at: ${at}).data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }`;
  return {
    READ_KOTLIN: places.map((at) => `outputs[${at}].readFloat()`).join(' + '),
    READ_SWIFT: places.map(swift).join(' + '),
  };
}

/** Members with the names of the answers, and the file that an app copies for them; vectors have no names, but members that search among them. */
function naming(form: string) {
  if (kitOf(form).hasNames === false)
    return { LABELS_FILE: '', ...sampleParts('android/search.kt', 'ios/search.swift') };
  return { LABELS_FILE: 'labels.txt', ...sampleParts('android/labels.kt', 'ios/labels.swift') };
}

/** Names in a sentence; empty ones are left out. */
function listed(...names: readonly string[]): string {
  const given = names.filter((name) => name !== '');
  return [given.slice(0, -1).join(', '), given.at(-1)].filter((part) => part !== '').join(' and ');
}

/**
 * The class that an app needs for pictures or numbers, in each language; every one reads preprocessing.json and labels.txt, so that nothing about
 * the model stands in the code.
 */
export async function phoneSamples(form: string = 'classes'): Promise<Readonly<Record<string, string>>> {
  const { pictures, folder } = await loadKit(form);
  const { part, NAME, DOC, hasReactNative = false } = pictures!;
  const { LABELS_FILE, ...names } = naming(form);
  const COPIED = listed(LABELS_FILE, 'preprocessing.json');
  const marks = { ...feeds(), ...reading(form), ...names, NAME, DOC, COPIED, IOS: '13.0' };
  const files = {
    'android/build.gradle.kts': sampleFile('android/build.gradle.kts', marks),
    [`android/${NAME}.kt`]: sampleFile('android/PictureModel.kt', {
      ...marks,
      ...formParts(folder, `android/${part}.kt`),
    }),
    'ios/Podfile': sampleFile('ios/Podfile', marks),
    [`ios/${NAME}.swift`]: sampleFile('ios/PictureModel.swift', {
      ...marks,
      ...formParts(folder, `ios/${part}.swift`),
    }),
  };
  if (!hasReactNative) return files;
  const own = ['react-native/classifier.ts', 'react-native/normalized.d.ts'];
  const { 'normalized.js': normalized } = await sharedModules(['normalized']);
  const scripts = Object.fromEntries(own.map((name) => [name, sampleFile(name, marks)]));
  return { ...files, ...scripts, 'react-native/normalized.js': normalized! };
}

/**
 * Classes for models of texts, one for each platform beside its tokenizer, which is the one script of portable.ts. On Android a WebView runs it, whose
 * engine has all of ECMA-402; of androidx.javascriptengine no documentation says so, and the source of its service loads no data of ICU, which
 * `normalize('NFKC')` and Intl.Segmenter read. On iOS JavaScriptCore runs it.
 */
export async function textPhoneSamples(form: string): Promise<Readonly<Record<string, string>>> {
  const { texts, folder } = await loadKit(form);
  const { part, NAME, DOC } = texts!;
  const { LABELS_FILE, ...names } = naming(form);
  const marks = {
    ...{ ...feeds(), ...names, NAME, DOC, IOS: '15.4', MIN_SDK: 'defaultConfig { minSdk = 24 }' },
    COPIED: `${LABELS_FILE === '' ? '' : `${LABELS_FILE}, `}preprocessing.json, example.json, samples/tokenize/tokenizer.js and, if there is one, models/tokenizer.json`,
  };
  const android = { ...marks, ...sampleParts('android/text.kt'), ...formParts(folder, `android/${part}.kt`) };
  const ios = {
    ...marks,
    DOC: DOC.replace('null', 'nil'),
    ...sampleParts('ios/text.swift'),
    ...formParts(folder, `ios/${part}.swift`),
  };
  return {
    'android/build.gradle.kts': sampleFile('android/build.gradle.kts', android),
    'android/Tokenizer.kt': sampleFile('android/Tokenizer.kt', android),
    [`android/${NAME}.kt`]: sampleFile('android/TextModel.kt', android),
    'ios/Podfile': sampleFile('ios/Podfile', ios),
    'ios/Tokenizer.swift': sampleFile('ios/Tokenizer.swift', ios),
    [`ios/${NAME}.swift`]: sampleFile('ios/TextModel.swift', ios),
  };
}
