import { dataModule } from './portable.ts';
import { sampleFile, sampleParts, sampleTexts } from './samples.ts';

/** Members of the classes that give each input of a model its part of a sample. */
const feeds = () => sampleTexts({ FEEDS: 'android/feeds.kt', MODEL: 'ios/model.swift', FEED: 'ios/feed.swift' });

/**
 * The class that an app needs, in each language; every one reads preprocessing.json and labels.txt, so that nothing about
 * the model stands in the code.
 */
export async function phoneSamples(): Promise<Readonly<Record<string, string>>> {
  const marks = { ...feeds(), COPIED: 'labels.txt and preprocessing.json', IOS: '13.0' };
  const names = [
    ...['android/build.gradle.kts', 'android/Classifier.kt', 'ios/Podfile', 'ios/Classifier.swift'],
    ...['react-native/classifier.ts', 'react-native/normalized.d.ts'],
  ];
  const files = Object.fromEntries(names.map((name) => [name, sampleFile(name, marks)]));
  return { ...files, 'react-native/normalized.js': await dataModule('normalized') };
}

/** Answers of a model of texts: classes, numbers or labels, or a tag for each word. */
export type TextAnswers = 'classes' | 'values' | 'tags';

/** Class for each kind of answers, which is the name of its file, and what it gives. */
const CLASSES: Readonly<Record<TextAnswers, { readonly NAME: string; readonly DOC: string }>> = {
  classes: { NAME: 'TextClassifier', DOC: 'Classes of texts with their probabilities, the most likely first.' },
  values: {
    NAME: 'TextPredictor',
    DOC: 'Answers to texts by name, in the order of labels.txt: numbers in the units of the labels, or the probability of each label.',
  },
  tags: {
    NAME: 'Tagger',
    DOC: 'Words with their tags; null for a word without a token, and behind the last token that the model takes.',
  },
};

/**
 * Classes for models of texts, one for each platform beside its tokenizer, which is the one script of portable.ts. On Android a WebView runs it, whose
 * engine has all of ECMA-402; of androidx.javascriptengine no documentation says so, and the source of its service loads no data of ICU, which
 * `normalize('NFKC')` and Intl.Segmenter read. On iOS JavaScriptCore runs it.
 */
export function textPhoneSamples(answers: TextAnswers): Readonly<Record<string, string>> {
  const { NAME, DOC } = CLASSES[answers];
  const marks = {
    ...{ ...feeds(), NAME, DOC, IOS: '15.4', MIN_SDK: 'defaultConfig { minSdk = 24 }' },
    COPIED:
      'labels.txt, preprocessing.json, example.json, samples/tokenize/tokenizer.js and, if there is one, models/tokenizer.json',
  };
  const android = { ...marks, ...sampleParts('android/text.kt', `android/${answers}.kt`) };
  const ios = { ...marks, DOC: DOC.replace('null', 'nil'), ...sampleParts('ios/text.swift', `ios/${answers}.swift`) };
  return {
    'android/build.gradle.kts': sampleFile('android/build.gradle.kts', android),
    'android/Tokenizer.kt': sampleFile('android/Tokenizer.kt', android),
    [`android/${NAME}.kt`]: sampleFile('android/TextModel.kt', android),
    'ios/Podfile': sampleFile('ios/Podfile', ios),
    'ios/Tokenizer.swift': sampleFile('ios/Tokenizer.swift', ios),
    [`ios/${NAME}.swift`]: sampleFile('ios/TextModel.swift', ios),
  };
}
