/** Classes of apps, whose parts are in the folder of each language. */
export const APP = {
  texts: {
    NAME: 'Tagger',
    DOC: 'Words with their tags; null for a word without a token, and behind the last token that the model takes.',
  },
};
