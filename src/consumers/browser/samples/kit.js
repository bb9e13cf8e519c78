// What both pages share: the files of the kit, preparation of inputs, and the page itself.
// __IMPORTS__
// __MODULES__
const root = new URL('../../', import.meta.url);
const load = async (file) => {
  const response = await fetch(new URL(file, root));
  if (!response.ok) throw new Error(file + ': ' + response.status);
  return response;
};
export const { models, input, normalization, output } = await (await load('preprocessing.json')).json();
// __NAMES__

/** The model that the address names, or the first one of the format. */
export function modelOf(format) {
  const wanted = new URL(location.href).searchParams.get('model');
  const model = models.find(({ file, format: own }) => own === format && (wanted === null || file === wanted));
  if (model === undefined) throw new Error('this kit has no model ' + (wanted ?? 'of the format ' + format) + ': see index.html');
  document.querySelector('h1').append(': ' + model.file);
  return model;
}

/** Answers of a model: of several outputs one after another. `of`: values of the output of a name. */
export function answersIn(of) {
  return (output.fields ?? [output]).flatMap(({ name }) => Array.from(of(name)));
}

export async function bytesOf({ file }) {
  return new Uint8Array(await (await load(file)).arrayBuffer());
}

// __PREPARE__

// __FEEDS__

// __SHARES__

// __REST__

/** Page: runs the examples through classify(raw) -> logits, then every picture that is chosen. */
export async function start(classify) {
  const list = document.querySelector('ol');
  // __SHOW__
  const examples = await (await load('example.json')).json();
  const results = [];
  for (const example of examples) {
    // __RAW__
    results.push(await show(raw, example.__KNOWN__));
  }
  // __CHOOSE__
  // __FOLDER__
  document.body.dataset.results = JSON.stringify(results);
}
