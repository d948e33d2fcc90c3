//! `onebit bench`: what it prints; how fast is nobody's business here.

use onebit::Isa;

use crate::common::{Folder, number, share};

/// Those that there have to be.
const KERNELS: [&str; 11] = [
    "xnor_gemm",
    "xnor_gemv",
    "dx_f32",
    "dx_bf16",
    "dx_int8",
    "dw_f32",
    "dw_bf16",
    "dw_int8",
    "dx_ternary",
    "dw_ternary",
    "conv3x3",
];

/// What a script may rely on.
const KEYS: [&str; 9] = ["kernel", "isa", "m", "n", "k", "threads", "tops", "sgemm_tops", "ratio"];

#[test]
fn every_kernel_is_measured_on_every_instruction_set() {
    let folder = Folder::new();
    for isa in Isa::available() {
        for threads in ["1", "2"] {
            let args = ["bench", "kernels", "--quick", "--json", "--isa", isa.name(), "--threads", threads];
            let lines = folder.onebit(args).ok().json();
            for line in &lines {
                KEYS.iter().for_each(|key| assert!(!line[key].is_null(), "{key}: {line}"));
                assert_eq!(line["isa"], isa.name());
                assert_eq!(line["threads"].to_string(), threads);
                for key in ["m", "n", "k", "tops", "sgemm_tops", "ratio"] {
                    assert!(number(line, key) > 0.0, "{key}: {line}");
                }
                let ratio = number(line, "tops") / number(line, "sgemm_tops");
                assert!((number(line, "ratio") / ratio - 1.0).abs() < 1e-9, "{line}");
                let share = line.get("share_of_ceiling").expect("it is there, if only as null");
                assert!(share.is_null() || share.as_f64().unwrap() > 0.0, "{line}");
            }
            for kernel in KERNELS {
                assert!(lines.iter().any(|line| line["kernel"] == kernel), "{kernel}");
            }
        }
    }
    assert!(folder.names().is_empty());
}

#[test]
fn one_kernel_can_be_chosen() {
    let folder = Folder::new();
    let lines = folder.onebit(["bench", "kernels", "--quick", "--json", "--kernel", "xnor_gemv"]).ok().json();
    assert!(!lines.is_empty() && lines.iter().all(|line| line["kernel"] == "xnor_gemv" && line["m"] == 1));

    let table =
        folder.onebit(["bench", "kernels", "--quick", "--kernel", "xnor_gemv", "--threads", "1"]).ok();
    let lines: Vec<&str> = table.stdout.lines().collect();
    assert!(lines[0].starts_with(Isa::best().name()), "{}", table.stdout);
    assert!(lines[2].starts_with("kernel ") && lines[3].starts_with("xnor_gemv "), "{}", table.stdout);
    assert_eq!(lines.len(), 4, "{}", table.stdout);
}

#[test]
fn training_steps_are_taken_apart() {
    let folder = Folder::new();
    let args = ["bench", "train", "--preset", "digits", "--steps", "3", "--set", "network.hidden=[32]"];
    for threads in ["1", "2"] {
        let lines = folder.onebit([&args[..], &["--json", "--threads", threads]].concat()).ok().json();
        let [result] = &lines[..] else { panic!("{lines:?}") };
        assert_eq!((&result["preset"], &result["steps"]), (&"digits".into(), &3.into()));
        assert_eq!(result["threads"].to_string(), threads);
        let (step, speed) = (number(result, "step_ms"), number(result, "samples_per_second"));
        assert!((number(result, "batch") / step * 1e3 / speed - 1.0).abs() < 1e-9, "{result}");
        let shares = result["shares"].as_object().expect("an object");
        for part in ["forward", "dx", "dw+update", "norm", "loss", "data", "rest"] {
            share(&result["shares"], part);
        }
        assert!((shares.values().map(|share| share.as_f64().unwrap()).sum::<f64>() - 1.0).abs() < 1e-9);
    }
    let table = folder.onebit(args).ok().stdout;
    for part in ["per step", "samples/s", "forward ", "dw+update "] {
        assert!(table.contains(part), "{table}");
    }
    assert!(folder.names().is_empty());
}

#[test]
fn wrong_flags_exit_with_2() {
    let folder = Folder::new();
    for (args, words) in [
        (&["kernels", "--kernel", "sgemm"][..], &["--kernel", "sgemm", "xnor_gemm"][..]),
        (&["kernels", "--threads", "0"], &["--threads", "at least 1"]),
        (&["kernels", "--isa", "nope"], &["--isa", "nope", "portable"]),
        (&["train", "--steps", "0"], &["--steps", "at least 1"]),
        (&["train", "--set", "typo=1"], &["--set", "typo"]),
        (&["nothing"], &["nothing"]),
    ] {
        folder.onebit([&["bench"], args].concat()).refused(2, words);
    }
    folder.onebit(["bench", "train", "--preset", "nope"]).refused(1, &["nope"]);
}

#[test]
fn inference_is_measured() {
    let folder = Folder::trained();
    for batch in ["1", "33"] {
        let args =
            ["bench", "infer", "mine.onebit", "--batch", batch, "--calls", "3", "--threads", "2", "--json"];
        let line = folder.onebit(args).ok().json().remove(0);
        assert_eq!([line["batch"].to_string(), line["threads"].to_string()], [batch, "2"]);
        let times = ["median_us", "p90_us", "p99_us", "longest_us"].map(|key| number(&line, key));
        assert!(times[0] > 0.0 && times.is_sorted(), "{line}");
        assert!(number(&line, "samples_per_second") > 0.0 && number(&line, "calls") >= 3.0);
    }
    folder.onebit(["bench", "infer", "mine.onebit", "--batch", "0"]).refused(2, &["--batch"]);
    folder.onebit(["bench", "infer", "none.onebit"]).refused(1, &["none.onebit"]);
}
