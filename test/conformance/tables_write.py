"""Classifiers and regressors of scikit-learn, LightGBM, XGBoost and CatBoost as ONNX files: tables_write.py FOLDER

Writes tables (NAME-train.csv, NAME-test.csv), and files (ID.onnx), and prints for each file its table and what its library
answers to the rows of the test table, probabilities by class or numbers."""

import json
import sys
import warnings

import catboost
import lightgbm
import numpy as np
import onnxmltools
import onnxruntime
import pandas as pd
import xgboost
from onnxmltools.convert.common.data_types import FloatTensorType as Floats
from skl2onnx import convert_sklearn, to_onnx
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType
from sklearn import datasets
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier

warnings.filterwarnings("ignore")
folder = sys.argv[1]
rows = []
numbers, words = ["age", "income"], ["home city", "plan"]


class Table:
    def __init__(self, name, X, y):
        self.name = name
        both = X.assign(label=y)
        isClass = np.asarray(y).dtype.kind != "f"
        train, test = train_test_split(both, test_size=0.3, random_state=0, stratify=y if isClass else None)
        train.to_csv(f"{folder}/{name}-train.csv", index=False)
        test.to_csv(f"{folder}/{name}-test.csv", index=False)
        self.train, self.test = train.drop(columns="label"), test.drop(columns="label")
        self.labels = np.asarray(list(train["label"]))


def table(name, load, names=None):
    data = load()
    X = pd.DataFrame(data.data.astype("float32"), columns=[f"x{i}" for i in range(data.data.shape[1])])
    return Table(name, X, data.target if names is None else np.array(names)[data.target])


def put(id, own, model, onnx, numbers=True, runs=True):
    X = np.asarray(own.test) if numbers else own.test
    answers = model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)
    content = onnx if isinstance(onnx, bytes) else onnx.SerializeToString()
    with open(f"{folder}/{id}.onnx", "wb") as file:
        file.write(content)
    classes = [str(name) for name in getattr(model, "classes_", [])]
    answers = np.asarray(answers, float).reshape(len(own.test), -1)
    apart = float(np.abs(inRuntime(content, own, numbers) - answers).max()) if runs else 0.0
    rows.append({"id": id, "table": own.name, "classes": classes, "answers": answers.tolist(), "converterApart": apart})


def inRuntime(content, own, numbers):
    """Answers of the file in ONNX Runtime, as far as its converter made it what the library computes."""
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    if numbers:
        feeds = {session.get_inputs()[0].name: np.asarray(own.test, np.float32)}
    else:
        kinds = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64, "tensor(string)": object}
        column = {name.replace(" ", "_"): own.test[[name]] for name in own.test}
        feeds = {one.name: column[one.name.replace(" ", "_")].to_numpy(kinds[one.type]) for one in session.get_inputs()}
    answer = session.run(None, feeds)[-1]
    if isinstance(answer, list):
        answer = [list(row.values()) for row in answer]
    return np.asarray(answer, float).reshape(len(own.test), -1)


iris = table("iris", datasets.load_iris, ["setosa", "versicolor", "virginica"])
wine = table("wine", datasets.load_wine)
cancer = table("cancer", datasets.load_breast_cancer, ["malignant", "benign"])
numbered = table("numbered", datasets.load_breast_cancer)
diabetes = table("diabetes", datasets.load_diabetes)

plain = [
    ("forest", iris, RandomForestClassifier(30, random_state=0)),
    ("forest", cancer, RandomForestClassifier(30, random_state=0)),
    ("forest", diabetes, RandomForestRegressor(30, random_state=0)),
    ("gradient", iris, GradientBoostingClassifier(random_state=0, n_estimators=20)),
    ("gradient", diabetes, GradientBoostingRegressor(random_state=0, n_estimators=20)),
    ("imputed", iris, make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())),
    ("svr", diabetes, make_pipeline(StandardScaler(), SVR(C=100))),
    ("extra", wine, ExtraTreesClassifier(30, random_state=0)),
    ("tree", wine, DecisionTreeClassifier(random_state=0, max_depth=4)),
    ("ada", iris, AdaBoostClassifier(random_state=0, n_estimators=10)),
    ("logistic", iris, LogisticRegression(max_iter=1000)),
    ("logistic", cancer, make_pipeline(StandardScaler(), LogisticRegression())),
    ("ridge", diabetes, make_pipeline(StandardScaler(), Ridge())),
    ("svc", iris, SVC(probability=True, random_state=0)),
    ("svc", wine, make_pipeline(StandardScaler(), SVC(probability=True, random_state=0))),
    ("mlp", cancer, make_pipeline(StandardScaler(), MLPClassifier((16,), random_state=0, max_iter=300))),
    ("bayes", wine, GaussianNB()),
    ("neighbours", iris, KNeighborsClassifier()),
    ("vote", iris, VotingClassifier([("a", LogisticRegression(max_iter=500)), ("b", RandomForestClassifier(10, random_state=0))], voting="soft", flatten_transform=False)),
]
for name, own, model in plain:
    model.fit(np.asarray(own.train), own.labels)
    put(f"sklearn-{name}-{own.name}", own, model, to_onnx(model, np.asarray(own.train)[:1]))

# Pipelines with an input for each column, some of them words.
random = np.random.default_rng(0)
n = 600
people = pd.DataFrame(
    {
        "age": random.integers(18, 80, n),
        "income": random.normal(40, 12, n).round(2),
        "home city": random.choice(["Paris", "Rome", "Oslo"], n),
        "plan": random.choice(["a", "b"], n),
    }
)
label = np.where((people.age > 45) ^ (people["home city"] == "Rome") | (people.income > 55), "yes", "no")
people = Table("people", people, label)
types = [("age", Int64TensorType([None, 1])), ("income", FloatTensorType([None, 1]))]
types += [("home city", StringTensorType([None, 1])), ("plan", StringTensorType([None, 1]))]
for name, model in [("logistic", LogisticRegression(max_iter=500)), ("gradient", GradientBoostingClassifier(random_state=0))]:
    columns = ColumnTransformer([("n", StandardScaler(), numbers), ("w", OneHotEncoder(handle_unknown="ignore"), words)])
    pipeline = make_pipeline(columns, model).fit(people.train, people.labels)
    put(f"sklearn-{name}-people", people, pipeline, convert_sklearn(pipeline, initial_types=types), numbers=False)
# Numbers of 64 bits, as a data frame has them. ONNX Runtime refuses the file as it is: its output is declared with 64 bits and has 32.
floats = people.train.astype({"age": float})
put("sklearn-pandas-people", people, pipeline, to_onnx(pipeline, floats[:1]), numbers=False, runs=False)

# The same with missing values: imputers of numbers, and '' among the words.
gaps = people.train.copy(), people.test.copy()
for one in gaps:
    one["age"] = one["age"].astype(float)
    for column, empty in [("age", np.nan), ("income", np.nan), ("home city", ""), ("plan", "")]:
        one.loc[random.random(len(one)) < 0.15, column] = empty
both = pd.concat(gaps)
gaps = Table("gaps", both, np.where((both.age.fillna(99) > 45) ^ (both["home city"] == "Rome") | (both.income > 55), "yes", "no"))
types = [(name, FloatTensorType([None, 1])) for name in numbers] + [(name, StringTensorType([None, 1])) for name in words]
for name, model in [("logistic", LogisticRegression(max_iter=500)), ("gradient", GradientBoostingClassifier(random_state=0))]:
    filled = make_pipeline(SimpleImputer(strategy="median", add_indicator=False), StandardScaler())
    columns = ColumnTransformer([("n", filled, numbers), ("w", OneHotEncoder(handle_unknown="ignore"), words)])
    pipeline = make_pipeline(columns, model).fit(gaps.train, gaps.labels)
    put(f"sklearn-{name}-gaps", gaps, pipeline, convert_sklearn(pipeline, initial_types=types), numbers=False)

for name, convert, make, own in [
    ("lightgbm", onnxmltools.convert_lightgbm, lambda: lightgbm.LGBMClassifier(n_estimators=20, verbose=-1), iris),
    ("lightgbm", onnxmltools.convert_lightgbm, lambda: lightgbm.LGBMClassifier(n_estimators=20, verbose=-1), cancer),
    ("lightgbm", onnxmltools.convert_lightgbm, lambda: lightgbm.LGBMRegressor(n_estimators=20, verbose=-1), diabetes),
    ("xgboost", onnxmltools.convert_xgboost, lambda: xgboost.XGBClassifier(n_estimators=20), wine),
    ("xgboost", onnxmltools.convert_xgboost, lambda: xgboost.XGBClassifier(n_estimators=20), numbered),
    ("xgboost", onnxmltools.convert_xgboost, lambda: xgboost.XGBRegressor(n_estimators=20), diabetes),
]:
    model = make().fit(np.asarray(own.train), own.labels)
    onnx = convert(model, initial_types=[("x", Floats([None, own.train.shape[1]]))], target_opset=15)
    put(f"{name}-{own.name}", own, model, onnx)

for own, kind in [(iris, "Classifier"), (cancer, "Classifier"), (wine, "Classifier"), (diabetes, "Regressor")]:
    make = getattr(catboost, f"CatBoost{kind}")
    model = make(iterations=30, verbose=0, allow_writing_files=False).fit(np.asarray(own.train), own.labels)
    path = f"{folder}/catboost.onnx"
    model.save_model(path, format="onnx")
    put(f"catboost-{own.name}", own, model, open(path, "rb").read())

print(json.dumps(rows))
