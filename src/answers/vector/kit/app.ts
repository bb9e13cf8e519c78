/** Classes of apps, whose parts are in the folder of each language. */
export const APP = {
  texts: {
    NAME: 'TextEmbedder',
    DOC: 'Vectors of length 1 of texts, which are as alike as the sum of the products of their numbers is large.',
  },
  pictures: {
    NAME: 'Embedder',
    DOC: 'Vectors of length 1 of samples, which are as alike as the sum of the products of their numbers is large.',
  },
};
