/// What a call of the kernel means to the analysis. What is not named here is taken to do nothing to tasks and queues,
/// and to write behind every address it is given that is not constant.
enum KernelModel {
    case insert, insertOrdered, insertOrderedByArguments
    case moveToLocal, moveBetween, moveBetweenOrdered, iterationSlice, iterationKey
    case createQueue, destroyQueue, queueLength, peekQueue
    case selectCPU, selectCPUAnd, pickIdle, pickAny, firstOf, firstOfTwo, testCPU, testAndClearIdle, taskCPU, cpuCount
    case constantMask, setSlice, setVirtualTime
    /// Of CPUs by their place in the topology.
    case place, kickPlace
    case kick, error
    case taskFromNumber, acquireTask, releaseTask, currentTask
    case time, maybeNullKernel, kernelAddress, cgroupOfTask
    case newObject, addToTree, addToList, takeFromTree, takeFromList
    case iterateQueue, iterateNumbers, iterateOther, nextNumber, nextTask, nextOther, endIteration
    case callbackSet
    /// Only a result, or none.
    case plain, smallResult, boolResult

    static let byName: [String: KernelModel] = {
        var table: [String: KernelModel] = [:]
        func put(_ model: KernelModel, _ names: String...) { for name in names { table[name] = model } }
        put(.insert, "scx_bpf_dsq_insert", "scx_bpf_dsq_insert___v2", "scx_bpf_dispatch")
        put(.insertOrdered, "scx_bpf_dsq_insert_vtime", "scx_bpf_dispatch_vtime")
        put(.insertOrderedByArguments, "__scx_bpf_dsq_insert_vtime")
        put(.moveToLocal, "scx_bpf_dsq_move_to_local", "scx_bpf_dsq_move_to_local___v2", "scx_bpf_consume")
        put(.moveBetween, "scx_bpf_dsq_move", "scx_bpf_dispatch_from_dsq")
        put(.moveBetweenOrdered, "scx_bpf_dsq_move_vtime", "scx_bpf_dispatch_vtime_from_dsq")
        put(.iterationSlice, "scx_bpf_dsq_move_set_slice", "scx_bpf_dispatch_from_dsq_set_slice")
        put(.iterationKey, "scx_bpf_dsq_move_set_vtime", "scx_bpf_dispatch_from_dsq_set_vtime")
        put(.createQueue, "scx_bpf_create_dsq")
        put(.destroyQueue, "scx_bpf_destroy_dsq")
        put(.queueLength, "scx_bpf_dsq_nr_queued")
        put(.peekQueue, "scx_bpf_dsq_peek")
        put(.selectCPU, "scx_bpf_select_cpu_dfl")
        put(.selectCPUAnd, "scx_bpf_select_cpu_and", "__scx_bpf_select_cpu_and")
        put(.pickIdle, "scx_bpf_pick_idle_cpu", "scx_bpf_pick_idle_cpu_node")
        put(.pickAny, "scx_bpf_pick_any_cpu", "scx_bpf_pick_any_cpu_node")
        put(.firstOf, "bpf_cpumask_first", "bpf_cpumask_any_distribute", "bpf_cpumask_first_zero")
        put(.firstOfTwo, "bpf_cpumask_first_and", "bpf_cpumask_any_and_distribute")
        put(.testCPU, "bpf_cpumask_test_cpu")
        put(.testAndClearIdle, "scx_bpf_test_and_clear_cpu_idle")
        put(.taskCPU, "scx_bpf_task_cpu")
        put(.cpuCount, "scx_bpf_nr_cpu_ids")
        put(
            .constantMask, "scx_bpf_get_possible_cpumask", "scx_bpf_get_online_cpumask", "scx_bpf_get_idle_cpumask",
            "scx_bpf_get_idle_smtmask", "scx_bpf_get_idle_cpumask_node", "scx_bpf_get_idle_smtmask_node")
        put(.setSlice, "scx_bpf_task_set_slice")
        put(.setVirtualTime, "scx_bpf_task_set_dsq_vtime")
        put(
            .place, "scx_bpf_this_cid", "scx_bpf_task_cid", "scx_bpf_cpu_to_cid", "scx_bpf_cid_to_cpu",
            "scx_bpf_nr_cids", "scx_bpf_nr_online_cids")
        put(.kickPlace, "scx_bpf_kick_cid")
        put(.kick, "scx_bpf_kick_cpu")
        put(.error, "scx_bpf_error_bstr", "scx_bpf_exit_bstr")
        put(.taskFromNumber, "bpf_task_from_pid", "bpf_task_from_vpid", "scx_bpf_tid_to_task")
        put(.acquireTask, "bpf_task_acquire")
        put(.releaseTask, "bpf_task_release", "bpf_task_release_dtor")
        put(.currentTask, "bpf_get_current_task_btf", "scx_bpf_cpu_curr", "scx_bpf_cid_curr", "scx_bpf_remote_curr")
        put(.time, "scx_bpf_now", "bpf_cpu_time_counter")
        put(
            .maybeNullKernel, "bpf_cpumask_create", "bpf_cpumask_acquire", "bpf_cgroup_acquire", "bpf_cgroup_from_id",
            "bpf_cgroup_ancestor", "scx_bpf_cpu_rq", "scx_bpf_locked_rq", "bpf_task_get_cgroup1",
            "bpf_arena_alloc_pages",
            "bpf_get_task_exe_file", "bpf_refcount_acquire_impl", "bpf_percpu_obj_new_impl")
        put(.cgroupOfTask, "scx_bpf_task_cgroup")
        put(.newObject, "bpf_obj_new_impl", "bpf_obj_new")
        put(.addToTree, "bpf_rbtree_add_impl", "bpf_rbtree_add")
        put(
            .addToList, "bpf_list_push_front_impl", "bpf_list_push_back_impl", "bpf_list_push_front",
            "bpf_list_push_back")
        put(
            .takeFromTree, "bpf_rbtree_first", "bpf_rbtree_remove", "bpf_rbtree_root", "bpf_rbtree_left",
            "bpf_rbtree_right")
        put(.takeFromList, "bpf_list_pop_front", "bpf_list_pop_back", "bpf_list_front", "bpf_list_back")
        put(.iterateQueue, "bpf_iter_scx_dsq_new")
        put(.iterateNumbers, "bpf_iter_num_new")
        put(.nextNumber, "bpf_iter_num_next")
        put(.nextTask, "bpf_iter_scx_dsq_next", "bpf_iter_task_next", "bpf_iter_css_task_next")
        put(.nextOther, "bpf_iter_css_next", "bpf_iter_bits_next", "bpf_iter_kmem_cache_next", "bpf_iter_task_vma_next")
        put(.iterateOther, "bpf_iter_task_new", "bpf_iter_css_task_new", "bpf_iter_css_new", "bpf_iter_bits_new")
        put(
            .endIteration, "bpf_iter_scx_dsq_destroy", "bpf_iter_num_destroy", "bpf_iter_task_destroy",
            "bpf_iter_css_task_destroy", "bpf_iter_css_destroy", "bpf_iter_bits_destroy")
        put(.callbackSet, "bpf_wq_set_callback_impl", "bpf_wq_set_callback")
        put(.boolResult, "bpf_cpumask_test_and_set_cpu", "bpf_cpumask_test_and_clear_cpu", "bpf_cpumask_and")
        put(.boolResult, "bpf_cpumask_empty", "bpf_cpumask_full", "bpf_cpumask_intersects", "bpf_cpumask_subset")
        put(.boolResult, "bpf_cpumask_equal", "scx_bpf_task_running", "scx_bpf_cpu_can_preempt")
        put(.smallResult, "scx_bpf_dispatch_nr_slots", "bpf_cpumask_weight", "scx_bpf_cpu_node", "scx_bpf_nr_node_ids")
        put(
            .plain, "bpf_cpumask_set_cpu", "bpf_cpumask_clear_cpu", "bpf_cpumask_setall", "bpf_cpumask_clear",
            "bpf_cpumask_or", "bpf_cpumask_xor", "bpf_cpumask_copy", "bpf_cpumask_release", "scx_bpf_put_cpumask",
            "scx_bpf_put_idle_cpumask", "bpf_rcu_read_lock", "bpf_rcu_read_unlock", "bpf_preempt_disable",
            "bpf_preempt_enable", "bpf_local_irq_save", "bpf_local_irq_restore", "bpf_cgroup_release",
            "bpf_res_spin_lock", "bpf_res_spin_unlock", "bpf_res_spin_lock_irqsave", "bpf_res_spin_unlock_irqrestore",
            "bpf_obj_drop_impl", "bpf_obj_drop", "scx_bpf_dispatch_cancel", "scx_bpf_reenqueue_local",
            "scx_bpf_dsq_reenq", "scx_bpf_dump_bstr", "scx_bpf_cpuperf_cap", "scx_bpf_cpuperf_cur",
            "scx_bpf_cpuperf_set", "scx_bpf_cidperf_cap", "scx_bpf_cidperf_cur", "scx_bpf_cidperf_set",
            "scx_bpf_cpu_node", "bpf_wq_init", "bpf_wq_start")
        return table
    }()
}

/// Numbers of the kernel's helper functions that have a meaning here.
enum Helper {
    static let lookup: Int32 = 1
    static let update: Int32 = 2
    static let delete: Int32 = 3
    static let probeRead: Int32 = 4
    static let time: Int32 = 5
    static let random: Int32 = 7
    static let processor: Int32 = 8
    static let currentName: Int32 = 16
    static let currentTask: Int32 = 35
    static let probeReadString: Int32 = 45
    static let push: Int32 = 87
    static let pop: Int32 = 88
    static let peek: Int32 = 89
    static let jiffies: Int32 = 118
    static let probeReadUser: Int32 = 112
    static let probeReadKernel: Int32 = 113
    static let probeReadUserString: Int32 = 114
    static let probeReadKernelString: Int32 = 115
    static let bootTime: Int32 = 125
    static let ringOutput: Int32 = 130
    static let ringReserve: Int32 = 131
    static let ringSubmit: Int32 = 132
    static let ringDiscard: Int32 = 133
    static let perCPU: Int32 = 153
    static let thisCPU: Int32 = 154
    static let taskStorage: Int32 = 156
    static let currentTaskBTF: Int32 = 158
    static let coarseTime: Int32 = 160
    static let forEach: Int32 = 164
    static let timerInit: Int32 = 169
    static let timerCallback: Int32 = 170
    static let timerStart: Int32 = 171
    static let loop: Int32 = 181
    static let exchange: Int32 = 194
    static let lookupPerCPU: Int32 = 195
    static let internationalTime: Int32 = 208
    static let drainUser: Int32 = 209
    static let cgroupStorage: Int32 = 210
}
