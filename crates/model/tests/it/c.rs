//! Models as C, compiled, against the runtime: the same classes and scores, bit for bit.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    thread,
};

use onebit_bits::{BitTensor, Engine, Geometry, Padding, Pool, random_bits};
use onebit_model::{
    Affine, CSource, Conv, Dense, Error, Layer, Limits, Model, Output, Standardize, Thresholds, best,
};
use onebit_testing::patience;
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

use crate::recipe::{Recipe, image_recipes, recipes};

/// Every warning that is worth one, for a compiler that has no library.
const STRICT: &str =
    "-std=c99 -O2 -Wall -Wextra -Werror -pedantic -Wconversion -Wshadow -Wundef -ffreestanding";

/// All that a compiler may do to a sum of products unless it is told not to.
const FAST: &str = "-std=gnu99 -O3 -Wall -Wextra -Werror -march=native -ffp-contract=fast -funroll-loops";

/// A model and samples for it, `(rows, features)`.
struct Case {
    model: Model,
    x: Vec<f32>,
}

/// Prints for each label its bytes and a zero; for each sample the class, then the scores as they are.
const RUNNER: &str = r#"
#include <stdio.h>
#include <string.h>
typedef struct { int features, classes; const char *const *labels; int (*run)(const float *, float *); } net;
NETS
int main(void)
{
    static float x[100000], scores[1000];
    unsigned i;
    int rows, row, class;
    for (i = 0; i < sizeof nets / sizeof *nets; i++) {
        for (row = 0; row < nets[i].classes; row++)
            fwrite(nets[i].labels[row], 1, strlen(nets[i].labels[row]) + 1, stdout);
        if (fread(&rows, sizeof rows, 1, stdin) != 1)
            return 1;
        for (row = 0; row < rows; row++) {
            if (fread(x, sizeof *x, (size_t)nets[i].features, stdin) != (size_t)nets[i].features)
                return 2;
            class = nets[i].run(x, scores);
            fwrite(&class, sizeof class, 1, stdout);
            fwrite(scores, sizeof *scores, (size_t)nets[i].classes, stdout);
        }
    }
    return 0;
}
"#;

/// The workspace lies between words that must stay as they are, and begins with rubbish.
const NET: &str = r#"
#include "NAME.h"
static int NAME_run(const float *x, float *scores)
{
    static struct { unsigned before; NAME_workspace w; unsigned behind; } memory;
    int refused, class;TO_BYTES
    memset(&memory, 0xa5, sizeof memory);
    refused = NAME_scores(SAMPLE, scores, &memory.w);
    memset(&memory.w, 0x5a, sizeof memory.w);
    class = NAME_classify(SAMPLE, &memory.w);
    if (memory.before != 0xa5a5a5a5u || memory.behind != 0xa5a5a5a5u || sizeof(NAME_workspace) != UPPER_WORKSPACE)
        return -3;
    return (refused == 0) == (class >= 0) && (refused == 0 || refused == -1) ? class : -2;
}
"#;

/// Before that, of a model that takes bytes: what is none is refused, as the runtime does.
const TO_BYTES: &str = r#"
    static unsigned char bytes[UPPER_FEATURES];
    int i;
    for (i = 0; i < UPPER_FEATURES; i++) {
        if (!(x[i] >= 0 && x[i] <= 255 && x[i] == (float)(int)x[i]))
            return -1;
        bytes[i] = (unsigned char)x[i];
    }"#;

fn compile(folder: &Path, flags: &str) -> String {
    let program = format!("run{}", flags.split(' ').next().unwrap());
    let sources = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let sources = sources.filter(|path| path.extension().is_some_and(|extension| extension == "c"));
    let mut command = Command::new("cc");
    command.current_dir(folder).args(flags.split(' ')).args(["-o", &program]).args(sources);
    let output = command.output().expect("there is a C compiler");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "cc {flags}: {said}");
    program
}

/// Compiles all models into one program and runs their samples.
fn assert_same(cases: &[Case], flags: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let (mut nets, mut table, mut input) = (String::new(), String::new(), Vec::new());
    for (index, Case { model, x }) in cases.iter().enumerate() {
        let name = format!("Net_{index}");
        let CSource { header, source, workspace, .. } = model.to_c(&name).unwrap();
        assert!(header.contains(&format!("#define NET_{index}_WORKSPACE {workspace}\n")));
        fs::write(folder.path().join(format!("{name}.h")), header).unwrap();
        fs::write(folder.path().join(format!("{name}.c")), source).unwrap();
        let (to_bytes, sample) = if model.takes_bytes() { (TO_BYTES, "bytes") } else { ("", "x") };
        let net = NET.replace("TO_BYTES", to_bytes).replace("SAMPLE", sample);
        nets += &net.replace("UPPER", &name.to_uppercase()).replace("NAME", &name);
        let upper = name.to_uppercase();
        writeln!(table, "    {{{upper}_FEATURES, {upper}_CLASSES, {name}_labels, {name}_run}},").unwrap();
        input.extend(((x.len() / model.inputs()) as i32).to_ne_bytes());
        input.extend(x.iter().flat_map(|x| x.to_ne_bytes()));
    }
    let nets = format!("{nets}\nstatic const net nets[] = {{\n{table}}};");
    fs::write(folder.path().join("main.c"), RUNNER.replace("NETS", &nets)).unwrap();
    let expected: Vec<_> = cases.iter().map(|case| case.labels_and_results()).collect();
    thread::scope(|scope| {
        for flags in flags {
            let (folder, input, expected) = (folder.path(), input.clone(), &expected);
            scope.spawn(move || {
                let program = compile(folder, flags);
                let mut child = Command::new(folder.join(program))
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .spawn()
                    .expect("the program starts");
                let mut stdin = child.stdin.take().unwrap();
                let writer = thread::spawn(move || stdin.write_all(&input));
                let output = patience::output(child);
                assert!(output.status.success(), "{flags}: {}", output.status);
                writer.join().unwrap().unwrap();
                let mut output = &output.stdout[..];
                for (case, expected) in cases.iter().zip(expected) {
                    case.compare(expected, &mut output, flags);
                }
                assert!(output.is_empty(), "{flags}: more than expected");
            });
        }
    });
}

/// Class and scores of a sample, unless it is refused.
type Results = Vec<Option<Vec<f32>>>;

impl Case {
    fn new(model: Model, x: Vec<f32>) -> Self {
        Self { model, x }
    }

    fn labels_and_results(&self) -> (Vec<u8>, Results) {
        let labels = self.model.labels().iter().flat_map(|label| label.bytes().chain([0]));
        let engine = Engine::single();
        let session = self.model.session(&engine).unwrap();
        let rows = self.x.chunks_exact(self.model.inputs());
        (labels.collect(), rows.map(|row| session.scores(row).ok()).collect())
    }

    fn compare(&self, (labels, results): &(Vec<u8>, Results), output: &mut &[u8], flags: &str) {
        let at = |row: usize| format!("row {row} of {:?}, {flags}", self.model.layers());
        assert_eq!(output.split_off(..labels.len()).unwrap(), labels);
        for (row, expected) in results.iter().enumerate() {
            let mut next = || output.split_off(..4).expect("a result of each row").try_into().unwrap();
            let class = i32::from_ne_bytes(next());
            let scores: Vec<f32> = (0..self.model.classes()).map(|_| f32::from_ne_bytes(next())).collect();
            let Some(expected) = expected else {
                assert_eq!(class, -1, "{}", at(row));
                continue;
            };
            assert_eq!(class, best(expected) as i32, "{scores:?}, {expected:?}, {}", at(row));
            // of no number there are many, and nobody promises which
            let exact = |scores: &[f32]| -> Vec<_> {
                scores.iter().map(|s| if s.is_nan() { None } else { Some(s.to_bits()) }).collect()
            };
            assert_eq!(exact(&scores), exact(expected), "{scores:?}, {expected:?}, {}", at(row));
        }
    }
}

/// What is not finite, what does not stay finite, and what is at the edges of being a number.
fn with_awkward_rows(mut x: Vec<f32>, features: usize) -> Vec<f32> {
    let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 3e38, 4e37, 1e-40, -0.0, 1e30, f32::MIN_POSITIVE];
    for (row, odd) in odd.into_iter().enumerate() {
        let mut sample = x[row * features..][..features].to_vec();
        if odd.is_finite() {
            // all of them, so that sums are large or small too
            sample.iter_mut().for_each(|x| *x *= odd);
        }
        sample[row * 7 % features] = odd;
        x.extend(sample);
    }
    x
}

/// As random as the recipe says, or with the same for each feature, or none.
fn standardized(model: Model, how: usize) -> Model {
    let features = model.inputs();
    if model.takes_bytes() {
        return model;
    }
    let standardize = match how {
        0 => Standardize::identity(features),
        1 => Standardize { mean: vec![0.3; features], scale: vec![1.7; features] },
        _ => return model,
    };
    model.with_standardize(standardize).unwrap()
}

fn cases(recipes: impl Strategy<Value = Recipe>, count: usize) -> Vec<Case> {
    let mut runner = TestRunner::deterministic();
    let case = |index| {
        let recipe = recipes.new_tree(&mut runner).unwrap().current();
        let model = standardized(recipe.model(), index % 5);
        Case::new(model, with_awkward_rows(recipe.samples(12), recipe.inputs))
    };
    (0..count).map(case).collect()
}

/// The kinds of the layers, with what matters about a convolution.
fn kinds(cases: &[Case]) -> BTreeSet<String> {
    let mut kinds = BTreeSet::new();
    for case in cases {
        for (index, layer) in case.model.layers().iter().enumerate() {
            let first = if index == 0 { "first " } else { "" };
            if index == 0 && case.model.takes_bytes() {
                kinds.insert(format!("{} of bytes", layer.name()));
            }
            kinds.insert(format!("{first}{}", layer.name()));
            if let Layer::Conv(conv) = layer {
                kinds.insert(format!("{first}{:?}", conv.geometry.pad));
                kinds.extend((conv.geometry.groups > 1).then(|| format!("{first}groups")));
                kinds.extend(conv.pool.map(|_| format!("{first}pool")));
            }
        }
    }
    kinds
}

#[test]
fn dense_networks() {
    let cases = cases(recipes(), 20);
    let expected = ["first binarize", "first dense", "first thermometer", "dense of bytes"].map(String::from);
    assert!(kinds(&cases).is_superset(&BTreeSet::from(expected)), "{:?}", kinds(&cases));
    assert_same(&cases, &[STRICT, FAST]);
}

#[test]
fn convolutions() {
    let cases = cases(image_recipes(), 20);
    let names = [
        "conv",
        "first conv",
        "conv of bytes",
        "Plus",
        "Minus",
        "Zero",
        "groups",
        "pool",
        "first pool",
        "first groups",
    ];
    assert!(kinds(&cases).is_superset(&names.map(String::from).into()), "{:?}", kinds(&cases));
    assert_same(&cases, &[STRICT, FAST]);
}

/// Scores `(x0 + x1, x0 - x1)` of what the layers before give.
fn last(inputs: usize) -> Layer {
    let weights = BitTensor::from_fn(2, inputs, |o, i| o == 0 || i % 2 == 0);
    Layer::Dense(Dense { weights, output: Output::Scores(Affine::identity(2)) })
}

fn names(labels: [&str; 2]) -> Vec<String> {
    labels.map(String::from).to_vec()
}

#[test]
fn labels_are_the_bytes_that_they_were() {
    let label = "a \"quoted\" \\ */ ??/ ??' \n\t7\u{7f}1 \u{e9}9 \u{1f41f} %s";
    let model = Model::new(2, vec![last(2)], names([label, ""])).unwrap();
    let source = model.to_c("labels").unwrap().source;
    assert!(source.is_ascii() && !source.contains("??"), "{source}");
    assert_same(&[Case::new(model, vec![1.0, 2.0, -0.0, 0.0])], &[STRICT]);
}

/// Also those that have no first digit, and the largest.
#[test]
fn numbers_are_written_exactly() {
    let spread = (0..400).map(|at| f32::from_bits(at * 10_736_353)).filter(|x| x.is_finite());
    let ends = [f32::from_bits(1), -f32::from_bits(0x7f_ffff), f32::MIN_POSITIVE, f32::MAX, f32::MIN, -0.0];
    let shift: Vec<f32> = spread.chain(ends).collect();
    let n = shift.len();
    let affine = Affine { mean: vec![0.0; n], scale: vec![0.0; n], shift };
    let layer = Dense { weights: BitTensor::zeros(n, 1), output: Output::Scores(affine) };
    let labels = (0..n).map(|label| label.to_string()).collect();
    assert_same(
        &[Case::new(Model::new(1, vec![Layer::Dense(layer)], labels).unwrap(), vec![0.0])],
        &[STRICT],
    );
}

/// A sum that overflows meets infinite limits, from above and from below; what is no number meets none.
#[test]
fn infinite_sums_meet_infinite_limits() {
    let limits = [f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, 0.0, -0.0];
    let weights = BitTensor::from_fn(12, 8, |_, i| i < 4);
    let descending = BitTensor::from_fn(1, 12, |_, unit| unit >= 6);
    let limits = Limits::Real(limits.repeat(2));
    let layer = Dense { weights, output: Output::Bits(Thresholds { limits, descending }) };
    let model = Model::new(8, vec![Layer::Dense(layer), last(12)], names(["0", "1"])).unwrap();
    let big = f32::MAX;
    let rows = [[big, big, 0.0, 0.0], [-big, -big, 0.0, 0.0], [big, 0.0, 0.0, 0.0], [0.0; 4]];
    let x = rows.iter().flat_map(|front| rows.iter().flat_map(move |back| [*front, *back].concat()));
    assert_same(&[Case::new(model, x.collect())], &[STRICT, FAST]);
}

/// Groups, steps and zeros around images of real numbers, with and without windows.
#[test]
fn convolutions_of_real_images_in_groups() {
    let case = |(groups, pool, seed)| {
        let padding = Padding { top: 1, left: 2, bottom: 0, right: 1 };
        let geometry = Geometry { padding, stride: (1, 2), groups, ..Geometry::new(6, 12, (2, 3)) };
        let patch = geometry.patch().unwrap();
        let thresholds =
            Thresholds { limits: Limits::Real(vec![0.3; 12]), descending: random_bits(seed, 1, 1, 12) };
        let weights = random_bits(seed, 2, 12, patch);
        let conv = Layer::Conv(Conv { geometry, image: (5, 7), weights, pool, thresholds });
        let last = Layer::Dense(Dense {
            weights: random_bits(seed, 3, 2, conv.outputs()),
            output: Output::Scores(Affine::identity(2)),
        });
        let model = Model::new(5 * 7 * 6, vec![conv, last], names(["0", "1"])).unwrap();
        let words = random_bits(seed, 4, 20, 5 * 7 * 6 * 64).into_words();
        Case::new(model, words.into_iter().map(|word| (word as i32 as f32) * 1e-9).collect())
    };
    let pool = Some(Pool { kernel: (2, 3), stride: (1, 1) });
    assert_same(&[(1, None, 1), (2, pool, 2), (3, pool, 3), (6, None, 4)].map(case), &[STRICT, FAST]);
}

#[test]
fn of_equal_scores_the_first_class_wins() {
    let weights = BitTensor::from_fn(4, 2, |o, i| i == 0 || o % 2 == 0);
    let layer = Layer::Dense(Dense { weights, output: Output::Scores(Affine::identity(4)) });
    let model = Model::new(2, vec![layer], ["a", "b", "c", "d"].map(String::from).to_vec()).unwrap();
    assert_same(&[Case::new(model, vec![1.0, 2.0, 1.0, -2.0, 1.0, 0.0])], &[STRICT]);
}

/// A product is rounded before something is added to it, whatever the compiler would like.
#[test]
fn nothing_is_fused() {
    let affine = Affine { mean: vec![0.1; 2], scale: vec![1.1, -0.7], shift: vec![-1.3, 0.9] };
    let weights = BitTensor::from_fn(2, 1, |o, _| o == 0);
    let layer = Layer::Dense(Dense { weights, output: Output::Scores(affine) });
    let standardize = Standardize { mean: vec![0.7], scale: vec![0.3] };
    let model = Model::new(1, vec![layer], names(["0", "1"])).unwrap().with_standardize(standardize).unwrap();
    let x = (0..3000).map(|at| at as f32 * 0.37 - 500.0).collect();
    assert_same(&[Case::new(model, x)], &[STRICT, FAST]);
}

#[test]
fn nothing_is_needed_but_integers_of_a_size() {
    let folder = tempfile::tempdir().unwrap();
    let all = cases(recipes(), 10).into_iter().chain(cases(image_recipes(), 10));
    for (index, Case { model, .. }) in all.enumerate() {
        let c = model.to_c(&format!("net_{index}")).unwrap();
        let included = |text: &str| -> Vec<String> {
            text.lines().filter(|line| line.contains("include")).map(String::from).collect()
        };
        assert_eq!(included(&c.header), ["#include <stdint.h>"]);
        assert_eq!(included(&c.source), [format!("#include \"net_{index}.h\"")]);
        for word in ["malloc", "double", "printf", "KIND", "VALUE", "SUM", "LIMIT"] {
            assert!(!c.source.contains(word) && !c.header.contains(word), "{word}: {}", c.source);
        }
        assert!(c.tables > 0 && c.workspace >= 4 * model.classes());
        c.save(folder.path()).unwrap();
    }
    // a linker that has no library and leaves nothing open
    compile(folder.path(), "-std=c99 -O1 -ffreestanding -fPIC -shared -nostdlib -Wl,-z,defs");
}

#[test]
fn a_name_must_be_one_in_c() {
    let model = Model::new(2, vec![last(2)], names(["0", "1"])).unwrap();
    for name in ["", "1st", "_x", "a-b", "a b", "na\u{ef}ve", "x;", "a\n"] {
        let refused = model.to_c(name).unwrap_err();
        let message = format!("name `{name}`: expected a C identifier: a letter, then letters, digits and _");
        assert!(matches!(refused, Error::CName { .. }) && refused.to_string() == message, "{refused}");
    }
    for name in ["x", "X1", "int", "net_2_of_3"] {
        assert!(
            model.to_c(name).unwrap().header.contains(&format!("int {name}_scores(const float *x, float"))
        );
    }
}

#[test]
fn the_example_of_the_documentation_is_c() {
    let folder = tempfile::tempdir().unwrap();
    let page = include_str!("../../../../docs/reference/c.md");
    let example = page.split("```").find_map(|part| part.strip_prefix("c\n")).expect("there is one");
    fs::write(folder.path().join("example.c"), example).unwrap();
    let model = Model::new(2, vec![last(2)], names(["0", "1"])).unwrap();
    model.to_c("mine").unwrap().save(folder.path()).unwrap();
    compile(folder.path(), &format!("{STRICT} -fPIC -shared"));
}
