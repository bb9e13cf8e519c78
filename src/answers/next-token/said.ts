import { classProperties } from '../../serve/http/openapi-answers.ts';
import { jsonOf, objectOf, TEXT } from '../../serve/http/openapi-schemas.ts';
import { refuseLetters } from '../../serve/limits.ts';
import { Refusal, refuseTooMany } from '../../serve/refusal.ts';
import { best } from '../../serve/v1/answers.ts';
import type { SaidForm } from '../../serve/v1/forms.ts';
import { isText } from '../../serve/v1/raw.ts';
import type { SentTo } from '../../serve/v1/raw.ts';
import { contentOfBody, encodersBy, holdsNumbers, listIn, readOrRefuse } from '../../serve/v1/texts.ts';
import { promptEncoder } from './prompt.ts';

const EXPECTED = 'a text, or an array of texts';

const encoderOf = encodersBy(promptEncoder);

/** The beginnings of texts in a request. */
async function promptsIn({ model, described, ...sent }: SentTo) {
  if (!isText(sent.contentType))
    throw new Refusal(400, `model ${model.name} takes beginnings of texts: send JSON or text/plain`);
  const form = described.text!;
  const { values } = contentOfBody(sent);
  if (holdsNumbers(values))
    throw new Refusal(400, `expected ${EXPECTED}, received numbers: send token ids to /v2/models/${model.name}/infer`);
  const texts = listIn(values, EXPECTED).map((text) => {
    if (typeof text === 'string') return text;
    throw new Refusal(400, `expected ${EXPECTED}, received ${JSON.stringify(text).slice(0, 80)}`);
  });
  refuseTooMany(model, texts.length);
  texts.forEach((text, i) => refuseLetters(model.limits, form.length, i, text.length));
  const encode = await encoderOf(model, form);
  return texts.map((text, i) => readOrRefuse('text', i, () => encode(text)));
}

export const said: SaidForm = {
  choice: 'Tokens to name, the likeliest first',
  needs:
    'says which token comes next, and its file does not say how texts become its input, or answers with another shape than [batch, length, tokens]: send token ids',
  stated: ({ facts: { outputs } }, { names = [], text }) =>
    text?.texts === 1 && outputs[0]?.shape.slice(1).join() === `${text.length},${names.length}` ? {} : undefined,
  read: async (sent) => {
    const prompts = await promptsIn(sent);
    return { raw: Float32Array.from(prompts.flatMap(({ ids }) => Array.from(ids))), needs: prompts };
  },
  answerOf: (row, sample, { needs, said: as, top }) => {
    const { last } = (needs as Awaited<ReturnType<typeof promptsIn>>)[sample]!;
    const width = as.names!.length;
    return best(row.slice(last * width, (last + 1) * width), as, top);
  },
  answered: 'Next tokens',
  each: 'The token that comes next behind each text',
  taken: () => {
    const inputs = { anyOf: [TEXT, { type: 'array', items: TEXT, minItems: 1 }] };
    return {
      samples: 'beginnings of texts',
      content: { ...jsonOf(objectOf({ inputs })), 'text/plain': { schema: TEXT } },
    };
  },
  prediction: (names, logits) => ({ type: 'object', properties: classProperties(names, logits) }),
};
