#!/usr/bin/env bash
# What only a machine with a GPU can show, in one command that needs no network there:
#
#     bash tools/on_gpu.sh [--device cpu] [--seconds 540] [--python python3] [FOLDER]
#
# Installs the pack of `make gpu-pack`, if there is one, into a folder of its own, and runs the
# steps below, each with a share of the time. FOLDER (or $OUT) gets eight files: read summary.txt
# first. The full-size speller comes last and takes the time that is left.
set -u
cd "$(dirname "$0")/.." || exit
. tools/steps.sh

device=cuda seconds=540 python=python3 folder=${OUT:-test-results/gpu}
while (($#)); do
    case $1 in
    --device | --seconds | --python) declare "${1#--}=$2" && shift 2 ;;
    -*) echo "unknown option $1; see the head of tools/on_gpu.sh" && exit 2 ;;
    *) folder=$1 && shift ;;
    esac
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
site=$work/site-packages # by that name the course knows what is no learner's code
mkdir "$work/results"
export BIRNN_DEVICE=$device BIRNN_HOME=$work/home MPLCONFIGDIR=$work/matplotlib
export PYTHONPATH=$PWD:$site PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# Only the plugins that the course uses; others that are there may print, or refuse something.
export PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 PYTEST_PLUGINS=xdist.plugin,nbval.plugin
# As many kernels as cores, each with one thread, as setup() has it for PyTorch.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
pytest="$python -m pytest -v -p no:cacheprovider"
side_by_side="-n $(nproc) --dist loadfile --no-loadscope-reorder"
nbval=$(sed -n 's/^NBVAL := //p' Makefile)
marked='not full' loops=''
[[ $device == cuda ]] || marked='not full and not gpu' loops='--rounds 1 --sequences 1000'

install() {
    local pip="$python -m pip install --quiet --no-index --no-deps --no-compile --target $site"
    uname -srm
    nvidia-smi
    if compgen -G '.gpu-pack/*.whl'; then
        # One by one if that fails: one wheel that does not fit must not keep the others out.
        $pip .gpu-pack/*.whl || for wheel in .gpu-pack/*.whl; do $pip --upgrade "$wheel"; done
    fi
    $python -m pip list
    $python -c 'import birnn_course, ipykernel, nbval, sys, torch; print(sys.version, torch.__version__)'
}
export -f install
export python site

keep() { tar -czf "$folder/results.tar.gz" --exclude='*.pt' -C "$work" results; }

begin "$folder" "$seconds"
step install 15 bash -c install
step doctor 10 "$python" -c 'from birnn_course.cli import main; main()' doctor
step tests 25 $pytest -s -m "$marked" \
    tests/test_gpu.py tests/test_misconceptions.py tests/test_device.py tests/test_training.py
step notebooks 50 $pytest $side_by_side $nbval notebooks solutions
step training 30 "$python" benchmarks/training.py $loops --out "$work/results"
keep
step speller 100 "$python" benchmarks/spelling_full.py --preset gpu --out "$work/results"
keep
exit $((failed > 0))
