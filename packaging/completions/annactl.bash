# bash completion for annactl, made by: annactl completion bash
_annactl() {
	local word=${COMP_WORDS[COMP_CWORD]} verb= words= i
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--socket | --timeout | --state-dir) ((i++)) ;;
		-*) ;;
		*) verb="${verb:+$verb }${COMP_WORDS[i]}" ;;
		esac
	done
	case $verb in
	"") words=" status health top host advise doctor ping events why emit undo reload config capabilities metrics upgrade stop call version completion help" ;;
	"status") words=" --watch --verbose" ;;
	"health") words=" --watch" ;;
	"top") words=" --once --watch --interval" ;;
	"host") words=" --refresh --notes" ;;
	"advise") words=" --explain --exit-code" ;;
	"doctor") words=" explain fix report" ;;
	"doctor explain") words="" ;;
	"doctor fix") words=" --dry-run --yes" ;;
	"doctor report") words="" ;;
	"ping") words=" --count" ;;
	"events") words=" --follow --kind --since --after --subject --limit" ;;
	"why") words=" --not" ;;
	"emit") words=" --subject --cause --key --json-attributes" ;;
	"undo") words="" ;;
	"reload") words=" confirm --dry-run --confirm" ;;
	"reload confirm") words="" ;;
	"config") words=" check show diff history default" ;;
	"config check") words="" ;;
	"config show") words=" --origin" ;;
	"config diff") words="" ;;
	"config history") words="" ;;
	"config default") words="" ;;
	"capabilities") words="" ;;
	"metrics") words="" ;;
	"upgrade") words=" --check --sha256 --allow-downgrade --one-way --wait --back --resume --verify" ;;
	"stop") words="" ;;
	"call") words="" ;;
	"version") words="" ;;
	"completion") words=" bash zsh fish" ;;
	"help") words="" ;;
	esac
	words="$words --json --socket --timeout --state-dir --no-color --help --version --schema"
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o default -F _annactl annactl
