"""Tables, and files of models that a student for them has to beat: write.py FOLDER

Writes NAME-train.csv and NAME-test.csv, NAME-teacher.onnx (a large forest), NAME-boosted.onnx (a small boosted ensemble) and
NAME-logistic.onnx. Prints the names of the tables as JSON."""

import json
import sys

import lightgbm
import numpy as np
import onnxmltools
import pandas as pd
from onnxmltools.convert.common.data_types import FloatTensorType
from skl2onnx import to_onnx
from sklearn import datasets
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

folder = sys.argv[1]
PLAIN = {"zipmap": False}


def made():
    """22 columns of which six interact: a line tells little."""
    return datasets.make_classification(
        6000, 22, n_informative=6, n_redundant=4, n_clusters_per_class=4, class_sep=1.2, flip_y=0.03, random_state=0
    )


tables = {
    "cancer": datasets.load_breast_cancer(return_X_y=True),
    "digits": datasets.load_digits(return_X_y=True),
    "made": made(),
}
for name, (X, y) in tables.items():
    X = np.asarray(X, np.float32)
    train, test, labels, others = train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)
    columns = [f"x{i}" for i in range(X.shape[1])]
    for split, values, target in [("train", train, labels), ("test", test, others)]:
        pd.DataFrame(values, columns=columns).assign(label=target).to_csv(f"{folder}/{name}-{split}.csv", index=False)
    forest = RandomForestClassifier(300, random_state=0, n_jobs=2).fit(train, labels)
    line = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(train, labels)
    # 40 trees in all, whatever the number of classes.
    rounds = 40 // (1 if len(set(y)) == 2 else len(set(y)))
    boosted = lightgbm.LGBMClassifier(n_estimators=rounds, num_leaves=8, learning_rate=0.2, verbose=-1).fit(train, labels)
    for kind, model in [("teacher", forest), ("logistic", line)]:
        with open(f"{folder}/{name}-{kind}.onnx", "wb") as file:
            file.write(to_onnx(model, train[:1], options={id(model): PLAIN}).SerializeToString())
    types = [("input", FloatTensorType([None, X.shape[1]]))]
    with open(f"{folder}/{name}-boosted.onnx", "wb") as file:
        file.write(onnxmltools.convert_lightgbm(boosted, initial_types=types, zipmap=False).SerializeToString())
print(json.dumps(list(tables)))
