import path from 'node:path';
import { Slot } from '../../base/registry.ts';
import { answerForms } from '../../recipe/answer-forms.ts';
import { appSample, copiedFiles, readingOf } from '../../ship/kit/app.ts';
import type { AppClass, AppClasses } from '../../ship/kit/app.ts';
import type { SampleContext, SampleFiles } from '../../ship/kit/platforms.ts';
import { sampleFile, sampleParts, sampleTexts } from '../../ship/kit/samples.ts';

export type AndroidClasses = AppClasses;

const ANDROID = new Slot<AndroidClasses>(answerForms, 'android', 'sample for Android');

/**
 * Classes in Kotlin, on LiteRT, which read preprocessing.json and labels.txt, so that nothing about the model stands in the code. A class for texts stands
 * beside its tokenizer, which is the one script of portable.ts: a WebView runs it, whose engine has all of ECMA-402; of androidx.javascriptengine no
 * documentation says so, and the source of its service loads no data of ICU, which `normalize('NFKC')` and Intl.Segmenter read.
 */
export const kitSample = appSample(ANDROID, sourceOf);

const at = (name: string): string => path.join(import.meta.dirname, 'samples', name);

function sourceOf({ parts, NAME, DOC }: AppClass, of: SampleContext): SampleFiles {
  const isText = of.data.text !== undefined;
  const marks = {
    NAME,
    DOC,
    COPIED: copiedFiles(of),
    ...sampleTexts({ FEEDS: at('feeds.kt'), FITTED: at('fitted.kt') }),
    ...(of.kit.hasNames !== false && sampleParts(at('labels.kt'))),
    ...(isText
      ? { MIN_SDK: 'defaultConfig { minSdk = 24 }', ...sampleParts(at('text.kt')) }
      : { READ_KOTLIN: readingOf(of.kit, (output) => `outputs[${output}].readFloat()`) }),
    ...sampleParts(...parts),
  };
  const own = { [`${NAME}.kt`]: sampleFile(at(`${isText ? 'Text' : 'Picture'}Model.kt`), marks) };
  const files = isText ? ['build.gradle.kts', 'Tokenizer.kt'] : ['build.gradle.kts'];
  return { ...Object.fromEntries(files.map((name) => [name, sampleFile(at(name), marks)])), ...own };
}
