/*
 * process.h - finding processes by name, for process.kill and process.pause.
 *
 * A name is the kernel's (ps -o comm=); of a name longer than 15 bytes the kernel keeps 15, so the
 * program's own name (argv[0]) decides then. Never found: the chain of parents that carries our own
 * connection, process 1, and the guards of running faults with all that they started: a guard whose
 * `sleep` was stopped would wait for it for ever.
 */
#ifndef FAULTS_PROCESS_H
#define FAULTS_PROCESS_H

/* A main process is one whose parent has another name: postgres's postmaster, nginx's master. A guard leads
   a session, and so does a holder. */
#define SCRIPT_PROCESS                                                                            \
	"line_of_ours() {\n"                                                                      \
	"\tours=\" 1 $$ \" guards=' '; pid=$$\n"                                                 \
	"\twhile look \"$pid\" && [ \"$parent\" -gt 0 ]; do\n"                                    \
	"\t\tpid=$parent; ours=\"$ours$pid \"\n"                                                  \
	"\tdone\n"                                                                                \
	"\tfor file in \"$base\"/*/*/guard \"$base\"/*/*/holder; do\n"                            \
	"\t\t{ read -r pid _ <\"$file\"; } 2>/dev/null && guards=\"$guards$pid \"\n"              \
	"\tdone\n"                                                                                \
	"}\n"                                                                                     \
	"is_named() { # PID NAME, and short is set\n"                                             \
	"\t{ IFS= read -r comm <\"/proc/$1/comm\"; } 2>/dev/null || return 1\n"                   \
	"\t[ \"$comm\" = \"$short\" ] || return 1\n"                                             \
	"\t[ \"${#2}\" -gt 15 ] || return 0\n"                                                    \
	"\tcomm=$(tr '\\0' '\\n' <\"/proc/$1/cmdline\" 2>/dev/null | head -n 1)\n"                \
	"\t[ \"${comm##*/}\" = \"$2\" ]\n"                                                        \
	"}\n"                                                                                     \
	"find_named() { # NAME main|all: sets found, parents before their children\n"             \
	"\tline_of_ours; mains='' rest='' short=$(printf %.15s \"$1\")\n"                         \
	"\tfor pid in /proc/[0-9]*; do\n"                                                         \
	"\t\tpid=${pid#/proc/}\n"                                                                 \
	"\t\tis_named \"$pid\" \"$1\" || continue\n"                                              \
	"\t\tcase $ours in *\" $pid \"*) continue ;; esac\n"                                      \
	"\t\tlook \"$pid\" || continue\n"                                                         \
	"\t\tcase $state in Z|X) continue ;; esac\n"                                              \
	"\t\tcase $guards in *\" $pid \"*|*\" $session \"*) continue ;; esac\n" \
	"\t\tif is_named \"$parent\" \"$1\"; then rest=\"$rest $pid\"; else mains=\"$mains $pid\"; fi\n" \
	"\tdone\n"                                                                                \
	"\tif [ \"$2\" = main ]; then found=$mains; else found=\"$mains$rest\"; fi\n"             \
	"}\n"                                                                                     \
	"nobody() {\n"                                                                            \
	"\thint='(see ps -eo pid,comm)'\n"                                                        \
	"\t[ \"${#1}\" -le 15 ] || hint=\"the kernel keeps 15 bytes of a name, so one this long is that of \\\n" \
	"the program itself (argv[0]); write '$short' to mean whatever ps -eo pid,comm shows so\"\n" \
	"\tfail \"no process named $1 is running there; \\\n"                                      \
	"those that carry our own connection do not count; $hint\"\n"                             \
	"}\n"

#endif
