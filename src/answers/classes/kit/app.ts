/** Classes of apps, whose parts are in the folder of each language. */
export const APP = {
  texts: { NAME: 'TextClassifier', DOC: 'Classes of texts with their probabilities, the most likely first.' },
  pictures: { NAME: 'Classifier', DOC: 'Classes with their probabilities, the most likely first.' },
};
