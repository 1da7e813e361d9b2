#!/bin/sh
# Members of unequal length on two cores: three take 0.6 s, three 0.1 s. A rank whose members are done leaves its core to the
# other's: 1.2 s a cycle, the least there is for two cores. By itself the rank with the long ones would take 1.8 s.
# From this folder: make && ./unequal.sh. DAUNCE names the program.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
program=$(command -v "${DAUNCE:-daunce-mpi}")
cp lorenz96 model.yaml experiment.yaml "$folder"
cd "$folder"
cat > carry << 'END'
#!/bin/sh
case $PWD in *member-00[012]) sleep 0.6 ;; *member-*) sleep 0.1 ;; esac
exec "$@"
END
chmod +x carry
mpirun -np 2 "$program" run --config experiment.yaml --members 6 --cycles 21 --set 'methods=[letkf]' --set model.at_once=2 \
  --set initial.kind=perturbed --set initial.climatology_runs=2 \
  --set "model.command=./carry ./lorenz96 forecast {input} {output} {from} {to}" 2>&1 | grep 'by programs'
